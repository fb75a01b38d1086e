"""The engine against a small model in memory: whatever people do in whatever order, both end in the same place."""

from __future__ import annotations

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.approvals import decided

from sheka.foundation.refusals import Refused
from sheka.office.approvals.actions.amend import amend
from sheka.office.approvals.actions.withdraw import withdraw
from sheka.office.approvals.models import Proposal
from sheka.office.messages.delivery import carry_all

HOME, PROVINCE, MINISTRY = "460100", "460000", "000000"
STEPS = [(HOME, {"one", "two", "three"}, 1), (PROVINCE, {"examiner"}, 1), (MINISTRY, {"reviewer", "second"}, 2)]
DECIDERS = sorted(set().union(*(who for _, who, _ in STEPS)) | {"author", "colleague"})
PLACE = {"examiner": PROVINCE, "reviewer": MINISTRY, "second": MINISTRY}


class Model:
    """One request as a reader would keep book of it. `told` is what home has heard, when no message is on its way."""

    def __init__(self):
        self.state, self.step, self.version, self.editors, self.consents = "open", 0, 1, {"author"}, set()

    def may_decide(self, who):
        place, able, _ = STEPS[self.step]
        return self.state == "open" and who in able - self.editors - self.consents and PLACE.get(who, HOME) == place

    def decide(self, who, verdict):
        if not self.may_decide(who):
            return False
        if verdict != "approve":
            self.state, self.consents = {"reject": "rejected", "supplement": "returned"}[verdict], set()
            return True
        self.consents.add(who)
        if len(self.consents) == STEPS[self.step][2]:
            self.consents = set()
            if self.step + 1 < len(STEPS):
                self.step += 1
            else:
                self.state = "done"
        return True

    def amend(self, who):
        at_home = self.state == "returned" or (self.state == "open" and STEPS[self.step][0] == HOME)
        if who not in ("author", "colleague") or not at_home:
            return False
        self.state, self.step, self.version, self.consents = "open", 0, self.version + 1, set()
        self.editors.add(who)
        return True

    def withdraw(self, who):
        if who != "author" or self.state not in ("open", "returned"):
            return False
        self.state = "withdrawn"
        return True


DECIDE = st.tuples(
    st.just("decide"), st.sampled_from(DECIDERS), st.sampled_from(["approve"] * 6 + ["supplement", "reject"])
)
AMEND = st.tuples(st.just("amend"), st.sampled_from(["author", "colleague", "one"]), st.none())
WITHDRAW = st.tuples(st.just("withdraw"), st.sampled_from(["author", "author", "colleague"]), st.none())
MOVES = st.lists(st.one_of(*[DECIDE] * 8, AMEND, WITHDRAW), min_size=3, max_size=16)


@pytest.mark.req("K6")
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=MOVES)
def test_the_engine_does_what_the_model_does(ask, people, moves):
    with transaction.atomic():
        made, model = ask("test.way"), Model()
        for number, (verb, who, verdict) in enumerate(moves):
            accepted = play(people, made, verb, who, verdict, number)
            assert accepted == (model.decide(who, verdict) if verb == "decide" else getattr(model, verb)(who)), (
                verb, who, verdict, model.__dict__,
            )  # fmt: skip
            for copy in Proposal.objects.filter(number=made.number):
                home = copy.organisation_id == HOME
                if home or (copy.version == model.version and copy.turn):
                    assert (copy.state, copy.version) == (model.state, model.version)
                if home and model.state == "open":
                    assert (copy.step, copy.turn) == (model.step, STEPS[model.step][0])
        transaction.set_rollback(True)


def play(people, made, verb, who, verdict, number):
    """Do it on the copy that this person has; True when it was accepted. Then all messages arrive."""
    held = Proposal.objects.filter(number=made.number, organisation_id=PLACE.get(who, HOME)).first()
    if held is None:
        return False
    try:
        if verb == "decide":
            decided(people[who], held, verdict)
        elif verb == "amend":
            change = {"payload": {"amount": number + 100}, "note": "changed"}
            amend(people[who], proposal_id=held.pk, digest=held.digest, **change)
        else:
            withdraw(people[who], proposal_id=held.pk)
    except Refused:
        return False
    finally:
        carry_all()
    return True
