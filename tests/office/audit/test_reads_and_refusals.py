"""Reads with their purpose and refused attempts are in the chain; who is refused in a loop does not fill it."""

from __future__ import annotations

import json

import pytest
from django.db import DatabaseError

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit import refusals
from sheka.office.audit.models import Event
from sheka.office.audit.reads import read_recorded, reads_among
from sheka.office.audit.refusals import EVENT, RateBound, record_refusal
from sheka.office.audit.trail import record
from sheka.office.audit.verify import verify
from sheka.office.staff.permissions import Permission

pytestmark = pytest.mark.django_db


def missing():
    return Refused(Code.PERMISSION_MISSING, permission="key.decide")


@pytest.fixture
def clerk(appoint):
    return appoint("wang", "460100-01", "clerk")


def test_a_read_says_who_what_and_for_which_purpose(clerk):
    number = read_recorded(clerk, "card.viewed", "card:D00000013", "  持卡人来电  ", found=1)
    event = Event.objects.get(sequence=number)
    assert (event.staff_id, event.event, event.subject) == (clerk.staff_id, "card.viewed", "card:D00000013")
    assert json.loads(event.facts) == {"found": 1, "purpose": "持卡人来电"}
    record(clerk, "incident.read", "incident:1", serial='"purpose":')  # signed as read: nobody's personal data
    record(clerk, "key.exported", "key:1", to="460100")
    assert list(reads_among(Event.objects.all())) == [event]
    assert verify().holds


@pytest.mark.parametrize(("what", "purpose"), [("card.changed", "service"), ("card.viewed", " ")])
def test_a_read_is_called_a_read_and_has_its_purpose(clerk, what, purpose):
    before = Event.objects.count()
    with pytest.raises(ValueError, match=r"read"):
        read_recorded(clerk, what, "card:D00000013", purpose)
    assert Event.objects.count() == before


def test_a_missing_right_is_recorded_with_its_number_and_place(clerk):
    assert record_refusal(clerk, missing(), "page:console:keys", bound=RateBound())
    event = Event.objects.get(event=EVENT)
    assert event.subject == "page:console:keys"
    assert json.loads(event.facts) == {"number": 3001, "code": "PERMISSION_MISSING", "permission": "key.decide"}
    assert event.organisation_id == "460100-01"


def test_a_separation_of_duties_that_held_is_recorded_a_typing_mistake_is_not(clerk):
    bound = RateBound()
    assert record_refusal(clerk, Refused(Code.APPROVAL_OWN), "page:console:approvals", bound=bound)
    assert not record_refusal(clerk, Refused(Code.NUMBER_LENGTH, what="x", expected=1, got=2), "page:x", bound=bound)
    assert Event.objects.filter(event=EVENT).count() == 1


def test_in_a_loop_ten_a_minute_are_recorded_and_the_rest_is_counted(clerk, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(refusals.time, "monotonic", lambda: now[0])
    bound = RateBound()
    assert sum(record_refusal(clerk, missing(), "page:x", bound=bound) for _ in range(25)) == 10
    now[0] += 61
    assert record_refusal(clerk, missing(), "page:x", bound=bound)
    last = Event.objects.filter(event=EVENT).order_by("-sequence").first()
    assert json.loads(last.facts)["left_out"] == 15
    assert record_refusal(clerk, missing(), "page:x", bound=bound)
    assert "left_out" not in Event.objects.filter(event=EVENT).order_by("-sequence").first().facts


def test_the_bound_itself_is_bounded(monkeypatch):
    monkeypatch.setattr(refusals, "ACTORS_KEPT", 3)
    bound = RateBound(most=1)
    assert [bound.admit(who) for who in range(4)] == [0, 0, 0, 0]
    assert bound.admit(3) is None
    assert bound.admit(0) == 0, "who was forgotten begins anew"


def test_a_refusal_that_cannot_be_recorded_stays_a_refusal(clerk, monkeypatch, caplog):
    def gone(*_args, **_facts):
        raise DatabaseError("the connection is closed")

    monkeypatch.setattr(refusals, "record", gone)
    assert not record_refusal(clerk, missing(), "page:x", bound=RateBound())
    assert "3001" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_the_frame_of_actions_records_what_it_refused_once_and_after_the_rollback(clerk, installer):
    @action(Permission.CARD_VIEW)
    def inner(actor):
        record(actor, "test.event", "thing:1")
        raise Refused(Code.ORGANISATION_OUT_OF_REACH, organisation="三亚市")

    @action(Permission.CARD_VIEW)
    def outer(actor):
        inner(actor)

    with pytest.raises(Refused) as refused:
        outer(clerk)
    assert not record_refusal(clerk, refused.value, "page:x", bound=RateBound())
    assert [event.subject for event in Event.objects.filter(event=EVENT)] == ["action:outer"]
    assert not Event.objects.filter(event="test.event").exists()
