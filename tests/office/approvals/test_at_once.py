"""Two people at once: two connections at a barrier, one seat left."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from sheka.foundation.refusals import Code, Refused
from sheka.office.approvals.actions.amend import amend
from sheka.office.approvals.actions.decide import decide
from sheka.office.approvals.actions.withdraw import withdraw
from sheka.office.approvals.models import Decision, Proposal
from sheka.office.scope import whole_node

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def db(transactional_db):
    """The people below are committed, so that other connections see them."""


def at_once(*verbs):
    """Run the verbs in threads of their own, each with its connection, from the same moment; what each came to."""
    barrier = Barrier(len(verbs))

    def run(verb):
        with whole_node("a test of two people"):
            try:
                connection.ensure_connection()
                barrier.wait(timeout=20)
                return verb()
            except Refused as refusal:
                return refusal.code
            finally:
                connection.close()

    with ThreadPoolExecutor(len(verbs)) as pool:
        return [future.result(timeout=60) for future in [pool.submit(run, verb) for verb in verbs]]


def approval(actor, made):
    seen = {"proposal_id": made.pk, "digest": made.digest, "step": 0}
    return lambda: decide(actor, **seen, verdict="approve").state


@pytest.mark.req("K6")
def test_of_two_people_at_once_on_the_last_seat_one_is_told_that_it_is_taken(ask, people, appoint):
    made = ask("test.one")
    found = at_once(*(approval(people[name], made) for name in ("one", "two", "three")))
    assert sorted(map(str, found)) == sorted(["approved", *[str(Code.APPROVAL_SEAT_TAKEN)] * 2])
    assert Decision.objects.filter(proposal=made).count() == 1

    made = ask("test.two")
    found = at_once(*(approval(people[name], made) for name in ("one", "two", "three")))
    assert sorted(map(str, found)) == sorted(["approved", "open", str(Code.APPROVAL_SEAT_TAKEN)])

    made = ask("test.two")
    second_account = appoint("one-2", "460100", "approver", person="one")
    found = at_once(approval(people["one"], made), approval(second_account, made), approval(people["one"], made))
    assert found.count("open") == 1 and set(found) <= {"open", Code.APPROVAL_TWICE, Code.APPROVAL_SECOND_ACCOUNT}
    assert Decision.objects.filter(proposal=made).count() == 1

    made = ask("test.one")
    author = people["author"]
    change = {"proposal_id": made.pk, "digest": made.digest, "payload": {"amount": 8}, "note": "eight"}
    decision, edited = at_once(approval(people["one"], made), lambda: amend(author, **change).version)
    assert (decision, edited) in [("approved", Code.APPROVAL_OVER), (Code.APPROVAL_EDITED, 2)]

    made = ask("test.one")
    decision, taken_back = at_once(approval(people["one"], made), lambda: withdraw(author, proposal_id=made.pk).state)
    assert taken_back == "withdrawn" and decision in ("approved", Code.APPROVAL_OVER)
    assert Proposal.objects.get(pk=made.pk).state == "withdrawn"
