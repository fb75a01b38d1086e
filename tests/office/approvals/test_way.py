"""A request on its way over three levels: steps in order, copies by messages, completion, withdrawal, the clock."""

from __future__ import annotations

import copy as copying
import random
from datetime import timedelta

import pytest
from django.utils import timezone
from tests.support.approvals import decided

from sheka.foundation.refusals import Code, Refused
from sheka.office.approvals.actions.amend import amend
from sheka.office.approvals.actions.carry_out import carry_out
from sheka.office.approvals.actions.expire import expire_due
from sheka.office.approvals.actions.take_news import take_news
from sheka.office.approvals.actions.withdraw import WITHDRAW, withdraw, withdraw_as_asked
from sheka.office.approvals.messages import author_withdraws, request_stands
from sheka.office.approvals.models import Proposal
from sheka.office.approvals.turns import STANDS, snapshot
from sheka.office.audit.models import Event
from sheka.office.messages.models import Inbox, Outbox
from sheka.office.staff.actors import Actor

PLACES = ("460100", "460000", "000000")


def to_the_ministry(made, people, copy):
    decided(people["one"], made)
    decided(people["examiner"], copy(made, "460000"))
    return copy(made, "000000")


def states(made):
    rows = Proposal.objects.filter(number=made.number)
    return {row.organisation_id: (row.state, row.step, row.turn, row.serial) for row in rows}


def test_the_steps_follow_in_order_and_the_last_carries_it_out(ask, people, copy):
    made = ask("test.way")
    assert (made.state, made.turn, made.step) == ("open", "460100", 0)
    top = to_the_ministry(made, people, copy)
    assert decided(people["reviewer"], top).state == "open"
    assert decided(people["second"], top).state == "done"
    assert top.result == {"made": 14}
    home = copy(made, "460100")
    assert (home.state, home.turn, home.result) == ("done", "", {"made": 14})
    assert {state for state, *_ in states(made).values()} == {"done"}
    told = [(row.step, row.name, row.reason, row.digest == made.digest) for row in home.decisions.all()]
    names = [(0, "one 员"), (1, "examiner 员"), (2, "reviewer 员"), (2, "second 员")]
    assert told == [(step, name, "read", True) for step, name in names]
    noted = Event.objects.filter(event="approval.test_noted").values_list("organisation_id", flat=True)
    assert sorted(noted) == ["460000", "460100"]


def test_every_level_holds_the_frozen_request_with_the_decisions_before_it(ask, people, copy):
    made = ask("test.way", names=["a", "b"])
    top = to_the_ministry(made, people, copy)
    assert (top.payload, top.digest, top.origin) == (made.payload, made.digest, "460100")
    assert [row.name for row in top.decisions.all()] == ["one 员", "examiner 员"]
    assert [row.name for row in top.versions.all()] == ["author 员"]
    assert copy(made, "460000").turn == "000000"


def test_messages_that_come_again_or_in_another_order_change_nothing(ask, people, copy):
    made = ask("test.way")
    top = to_the_ministry(made, people, copy)
    decided(people["reviewer"], top)
    decided(people["second"], top)
    copy(made, "460100")
    settled = states(made)
    messages = list(Inbox.objects.filter(kind=STANDS))
    assert len(messages) >= 5
    random.Random(3).shuffle(messages)
    for message in [*messages, *messages]:
        request_stands(message)
    assert states(made) == settled
    for place in PLACES:
        assert Proposal.objects.get(number=made.number, organisation_id=place).decisions.count() == 4
    assert Event.objects.filter(event="approval.test_noted").count() == 2


def test_news_that_overtook_older_news_stands(ask, people, copy):
    made = ask("test.way")
    top = to_the_ministry(made, people, copy)
    decided(people["reviewer"], top)
    decided(people["second"], top)
    late = list(Outbox.objects.filter(recipient="460100", delivered_at=None).order_by("-sequence"))
    actor = Actor.process("approvals", "460100")
    assert [take_news(actor, source=row.source, told=row.payload) for row in late] == [True, False]
    home = Proposal.objects.get(pk=made.pk)
    assert (home.state, home.decisions.count()) == ("done", 4)
    assert copy(made, "460100").decisions.count() == 4


@pytest.mark.parametrize(("kind", "step", "turn"), [("test.way", 0, "460100"), ("test.asker", 2, "000000")])
def test_what_was_returned_starts_again_where_its_route_says(ask, people, copy, refused, kind, step, turn):
    made = ask(kind)
    top = to_the_ministry(made, people, copy)
    decided(people["reviewer"], top, "supplement", "the plan is missing")
    home = copy(made, "460100")
    assert (home.state, home.turn) == ("returned", "460100")
    changes = {"proposal_id": home.pk, "digest": home.digest, "note": "added"}
    refused(Code.APPROVAL_NOTHING_CHANGED, amend, people["author"], payload=home.payload, **changes)
    refused(Code.APPROVAL_STALE, amend, people["author"], payload={"amount": 8}, **changes | {"digest": "0" * 64})
    refused(Code.APPROVAL_REASON, amend, people["author"], payload={"amount": 8}, **changes | {"note": " "})
    refused(Code.PERMISSION_MISSING, amend, people["one"], payload={"amount": 8}, **changes)
    amend(people["colleague"], payload={"amount": 8}, **changes)
    home = copy(made, "460100")
    assert (home.version, home.state, home.step, home.turn) == (2, "open", step, turn)
    if step == 0:
        decided(people["one"], home)
        decided(people["examiner"], copy(made, "460000"))
    top = copy(made, "000000")
    assert [row.payload for row in top.versions.all()] == [{"amount": 7}, {"amount": 8}]
    decided(people["reviewer"], top)
    assert decided(people["second"], top).result == {"made": 16}
    assert copy(made, "460100").state == "done"


def test_a_version_that_was_returned_keeps_no_consent(ask, people, copy):
    made = ask("test.two")
    decided(people["one"], made)
    decided(people["two"], made, "supplement", "more")
    amend(people["author"], proposal_id=made.pk, digest=made.digest, payload={"amount": 8}, note="more")
    assert decided(people["three"], made).state == "open"
    assert decided(people["one"], made).state == "approved"


def test_it_is_edited_at_home_only(ask, people, copy, refused):
    made = ask("test.way")
    decided(people["one"], made)
    change = {"digest": made.digest, "payload": {"amount": 8}, "note": "eight"}
    refused(Code.APPROVAL_AWAY, amend, people["author"], proposal_id=made.pk, **change)
    there = copy(made, "460000")
    refused(Code.APPROVAL_WRONG_ORGANISATION, amend, people["examiner"], proposal_id=there.pk, **change)
    decided(people["examiner"], there, "reject", "no")
    copy(made, "460100")
    refused(Code.APPROVAL_OVER, amend, people["author"], proposal_id=made.pk, **change)


def test_an_edit_while_open_at_home_voids_the_consents_and_renews_the_time(ask, people):
    made = ask("test.two")
    decided(people["one"], made)
    amend(people["author"], proposal_id=made.pk, digest=made.digest, payload={"amount": 8}, note="eight")
    made.refresh_from_db()
    assert (made.version, made.state, made.step) == (2, "open", 0)
    assert decided(people["one"], made).state == "open"


def test_the_author_takes_it_back_at_home_at_once(ask, people, refused):
    made = ask("test.two")
    told = refused(Code.APPROVAL_NOT_AUTHOR, withdraw, people["colleague"], proposal_id=made.pk)
    assert "author 员" in told.text("en")
    refused(Code.PERMISSION_MISSING, withdraw, people["one"], proposal_id=made.pk)
    assert withdraw(people["author"], proposal_id=made.pk).state == "withdrawn"
    refused(Code.APPROVAL_OVER, withdraw, people["author"], proposal_id=made.pk)
    refused(Code.APPROVAL_OVER, decided, people["one"], made)


def test_an_approval_is_withdrawn_until_it_is_carried_out(ask, people, refused):
    made = ask()
    decided(people["one"], made)
    assert withdraw(people["author"], proposal_id=made.pk).state == "withdrawn"
    refused(Code.STATE_FORBIDS, carry_out, people["author"], proposal_id=made.pk, kind="test.one")


def test_a_withdrawal_follows_the_request_wherever_it_has_gone(ask, people, copy):
    made = ask("test.way")
    decided(people["one"], made)
    there = copy(made, "460000")
    withdraw(people["author"], proposal_id=made.pk, reason="a mistake")
    made.refresh_from_db()
    assert (made.state, made.withdrawal_asked_at is not None) == ("open", True)
    decided(people["examiner"], there)
    assert copy(made, "000000").state == "withdrawn"
    assert {state for state, *_ in states(made).values()} == {"withdrawn"}


def test_a_withdrawal_that_comes_too_late_changes_nothing(ask, people, copy):
    made = ask("test.way")
    top = to_the_ministry(made, people, copy)
    copy(made, "460100")
    withdraw(people["author"], proposal_id=made.pk)
    decided(people["reviewer"], top)
    decided(people["second"], top)
    assert copy(made, "460100").state == "done"
    for message in Inbox.objects.filter(kind=WITHDRAW):
        author_withdraws(message)
    assert {state for state, *_ in states(made).values()} == {"done"}


def test_a_withdrawal_before_the_request_waits_for_it(ask, refused):
    made = ask("test.way")
    with pytest.raises(Refused) as early:
        withdraw_as_asked(Actor.process("approvals", "000000"), number=made.number, reason="")
    assert early.value.code is Code.APPROVAL_UNKNOWN


def test_the_clock_ends_what_nobody_decided_completed_or_carried_out(ask, people, too_late):
    decided(people["one"], approved := ask())
    decided(people["one"], returned := ask(), "supplement", "more")
    fresh, late = ask(), ask()
    for made in (late, returned, approved):
        too_late(made)
    assert expire_due() == 3
    assert expire_due() == 0
    for made, state in ((late, "expired"), (returned, "expired"), (approved, "expired"), (fresh, "open")):
        made.refresh_from_db()
        assert made.state == state
    assert Event.objects.filter(event="approval.expired", actor="process:clock").count() == 3


def test_the_clock_of_the_organisation_in_turn_counts(ask, people, copy, too_late):
    made = ask("test.way")
    decided(people["one"], made)
    too_late(made)
    assert expire_due() == 0
    there = copy(made, "460000")
    too_late(there)
    assert expire_due() == 1
    assert copy(made, "460100").state == "expired"


def test_times_come_from_the_route_and_end_with_the_request(ask, people):
    made = ask("test.one")
    assert abs(made.due_at - timezone.now() - timedelta(days=20)) < timedelta(minutes=1)
    Proposal.objects.filter(pk=made.pk).update(expires_at=timezone.now() + timedelta(days=1))
    decided(people["one"], made, "supplement", "more")
    assert made.due_at == made.expires_at


def test_what_another_organisation_tells_is_believed_only_when_it_fits(ask, people, copy, refused):
    made = ask("test.way")
    decided(people["one"], made)
    there = copy(made, "460000")
    decided(people["examiner"], there)
    told = snapshot(there)
    actor = Actor.process("approvals", "000000")

    def change(**changes):
        return {**copying.deepcopy(told), **changes}

    def tell(code, told, source="460000"):
        with pytest.raises(Refused) as caught:
            take_news(actor, source=source, told=told)
        assert caught.value.code is code
        assert not Proposal.objects.filter(organisation_id="000000").exists()

    shorter = change(route={**told["route"], "steps": told["route"]["steps"][1:]}, step=1)
    tell(Code.APPROVAL_ROUTE_DIFFERS, shorter)
    forged = change()
    forged["versions"][0]["payload"] = {"amount": 10**6}
    tell(Code.APPROVAL_ALTERED, forged)
    tell(Code.APPROVAL_UNKNOWN_KIND, change(kind="test.nothing"))
    tell(Code.APPROVAL_NOT_CREDIBLE, told, source="460200")
    tell(Code.APPROVAL_NOT_CREDIBLE, change(state="done"), source="460100")
    tell(Code.APPROVAL_NOT_CREDIBLE, change(state="rejected"))
    for field, value in (("place", "460100"), ("digest", "0" * 64), ("person", told["versions"][0]["person"])):
        forged = change()
        forged["decisions"][1][field] = value
        tell(Code.APPROVAL_NOT_CREDIBLE, forged)
    assert take_news(actor, source="460000", told=told)


def test_a_request_keeps_the_route_under_which_it_was_made(ask, people, copy, monkeypatch):
    made = ask("test.way")
    decided(people["one"], made)
    there = copy(made, "460000")
    monkeypatch.delenv("SHEKA_POLICY")
    decided(people["examiner"], there)
    with pytest.raises(Refused) as unknown:
        take_news(Actor.process("approvals", "000000"), source="460000", told=snapshot(there))
    assert unknown.value.code is Code.APPROVAL_NO_ROUTE
    assert take_news(Actor.process("approvals", "460100"), source="460000", told=snapshot(there))
