"""Incidents of the tests' own: people at three levels, and things that freeze, refuse and thaw."""

from __future__ import annotations

import pytest

from sheka.foundation.refusals import Code, Refused
from sheka.office.incidents import freezing
from sheka.office.incidents.actions.report_incident import report_incident
from sheka.office.incidents.freezing import FollowUp, Freezer
from sheka.office.incidents.models import Incident
from sheka.office.messages.delivery import carry_all


class Store:
    """A system of the test's own: what it froze, and what it refuses at the moment."""

    def __init__(self):
        self.frozen, self.refusing, self.rotated, self.broken = [], set(), [], set()

    def freeze(self, actor, subject, incident):
        if subject in self.refusing:
            raise Refused(Code.KEY_UNKNOWN, key=subject)
        if subject in self.broken:
            raise RuntimeError("the system broke")
        self.frozen.append(subject)
        return f"{subject} is out of use."

    def thaw(self, actor, subject, incident):
        if subject in self.refusing:
            raise Refused(Code.KEY_UNKNOWN, key=subject)
        self.frozen.remove(subject)
        return f"{subject} is in use again."

    def find(self, actor, text):
        return [freezing.Thing(f"{text}-{number}", "a thing", "safe 1") for number in (1, 2)]

    def rotate(self, actor, subject, incident):
        if subject in self.refusing:
            raise Refused(Code.KEY_UNKNOWN, key=subject)
        self.rotated.append(subject)
        return f"Rotation of {subject} proposed."


@pytest.fixture
def store(monkeypatch):
    """The freezers of every kind of thing and the rotation are this one system."""
    made = Store()
    one = Freezer(made.freeze, made.thaw, made.find)
    monkeypatch.setattr(freezing, "_freezers", dict.fromkeys(("carrier", "key", "psam", "terminal", "card_range"), one))
    rotation = FollowUp("rotation", made.rotate, frozenset({"key"}))
    monkeypatch.setattr(freezing, "_follow_ups", {"rotation": rotation})
    return made


@pytest.fixture
def people(appoint):
    """Who plays, in city, province and ministry: who reports, who handles, who closes."""
    return {
        "clerk": appoint("clerk", "460100-01", "clerk"),
        "custodian": appoint("custodian", "460100", "custodian"),
        "security": appoint("security", "460100", "security_administrator"),
        "officer": appoint("officer", "460100", "key_officer"),
        "approver": appoint("approver", "460100", "approver"),
        "above": appoint("above", "460000", "key_officer"),
        "above_two": appoint("above_two", "460000", "approver"),
        "top": appoint("top", "000000", "key_officer"),
        "top_two": appoint("top_two", "000000", "approver"),
    }


@pytest.fixture
def report(people, store):
    """report(kind, *subjects) → an incident of the custodian's."""

    def make(kind="lost_carrier", *subjects, by="custodian", **more):
        return report_incident(
            people[by], kind=kind, subject=subjects or ("carrier:T-1",), about="Not in the safe this morning.", **more
        )

    return make


@pytest.fixture
def copy():
    """copy(incident, organisation) → that organisation's copy, after all messages were carried."""

    def find(incident, place):
        carry_all()
        return Incident.objects.filter(number=incident.number, organisation_id=place).first()

    return find


@pytest.fixture
def refused():
    """refused(Code, do, …) asserts that the verb is refused with exactly this number; the refusal."""

    def expect(code, do, /, *args, **kwargs):
        with pytest.raises(Refused) as caught:
            do(*args, **kwargs)
        assert caught.value.code is code, str(caught.value)
        assert "?" not in caught.value.text("en") + caught.value.todo("en"), "a fact of the sentence is missing"
        return caught.value

    return expect
