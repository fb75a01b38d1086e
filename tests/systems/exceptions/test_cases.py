"""A case is opened once, handled by one person, and closed with a reason (S10)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sheka.foundation.refusals import Code, Refused
from sheka.office.audit.models import Event
from sheka.office.staff.actors import Actor
from sheka.systems.exceptions.abnormal import Abnormal
from sheka.systems.exceptions.actions.handle_case import close_case, give_back_case, take_case
from sheka.systems.exceptions.actions.open_cases import open_cases
from sheka.systems.exceptions.models import Reason
from sheka.systems.exceptions.queries import case_numbered, cases_of
from sheka.systems.exceptions.states import CASE, RUNNING

pytestmark = pytest.mark.django_db
ITEM = Abnormal(
    "H46010000001:460100000001:20261121:000007:1", Reason.ONLY_THEIRS, 900, None, {"line": 2, "amount": 900}
)


@pytest.fixture
def officer(appoint):
    return appoint("exceptions", "460100", "exceptions_officer")


@pytest.fixture
def case(tree):
    (made,) = open_cases(Actor.process("test", "460100"), items=[ITEM])
    return made


@pytest.mark.req("S10")
def test_the_same_item_opens_one_case_until_it_is_closed(case, officer):
    process = Actor.process("test", "460100")
    assert open_cases(process, items=[ITEM]) == []
    assert list(cases_of(officer, state="open")) == [case]
    close_case(officer, number=case.number, resolution="The acquirer withdrew line 2.")
    assert open_cases(process, items=[ITEM]) == [], "on the same facts it is explained, whoever finds it again"
    other = replace(ITEM, theirs={"line": 2, "amount": 901})
    assert len(open_cases(process, items=[other])) == 1


@pytest.mark.req("S10")
def test_a_case_is_taken_given_back_and_closed_with_a_reason(case, officer):
    assert take_case(officer, number=case.number).holder == officer.name
    with pytest.raises(Refused) as refusal:
        take_case(officer, number=case.number)
    assert refusal.value.code is Code.EXCEPTION_HELD
    assert give_back_case(officer, number=case.number).holder == ""
    with pytest.raises(Refused) as refusal:
        close_case(officer, number=case.number, resolution="  ")
    assert refusal.value.code is Code.EXCEPTION_REASON
    assert case_numbered(case.number).state == "open"
    closed = close_case(officer, number=case.number, resolution="Booked by hand as correction 17.")
    assert (closed.state, closed.closed_at is None) == ("closed", False)
    with pytest.raises(Refused):
        take_case(officer, number=case.number)
    events = list(Event.objects.filter(subject=f"exception:{case.number}").order_by("sequence").values_list("event"))
    assert events == [("exception.take",), ("exception.give_back",), ("exception.close",)]


@pytest.mark.req("S10")
def test_nobody_outside_the_organisation_or_without_the_right_handles_it(case, appoint):
    with pytest.raises(Refused) as refusal:
        take_case(appoint("sanya", "460200", "exceptions_officer"), number=case.number)
    assert refusal.value.code is Code.EXCEPTION_UNKNOWN
    with pytest.raises(Refused) as refusal:
        close_case(appoint("clearing", "460100", "clearing_officer"), number=case.number, resolution="done")
    assert refusal.value.code is Code.PERMISSION_MISSING
    with pytest.raises(Refused) as refusal:
        case_numbered("EX0")
    assert refusal.value.code is Code.EXCEPTION_UNKNOWN


@pytest.mark.req("S10")
def test_every_state_leads_to_an_end() -> None:
    """From wherever a case stands there is a way to a booked entry or a reasoned close."""
    ways = {state: {CASE.after(state, verb) for verb in CASE.verbs(state)} for state in CASE.states}
    for state in CASE.states:
        seen = {state}
        while more := {after for one in seen for after in ways[one]} - seen:
            seen |= more
        assert {"closed", "resolved"} <= seen, state
    assert not {verb for state in RUNNING for verb in CASE.verbs(state)} & {"delete", "drop"}
