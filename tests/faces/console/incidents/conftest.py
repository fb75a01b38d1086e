"""Fixtures of the pages of incidents: people at their desks in city, province and ministry; carriers that freeze."""

from __future__ import annotations

import pytest
from tests.support.desks import signed_in
from tests.support.organisations import appoint, installer, tree

from sheka.office.incidents import freezing
from sheka.office.incidents.freezing import Freezer, Thing
from sheka.office.staff.models import StaffMember

__all__ = ["appoint", "installer", "tree"]


def _find(actor, text):
    return [Thing(f"{text}{end}", "transmission key card", "safe 2") for end in ("-1", "-2")]


@pytest.fixture
def store(monkeypatch):
    """One system freezes carriers and keys; what it holds frozen."""
    frozen = []
    one = Freezer(
        lambda actor, subject, incident: frozen.append(subject) or "Out of use.",
        lambda actor, subject, incident: frozen.remove(subject) or "In use again.",
        _find,
    )
    monkeypatch.setattr(freezing, "_freezers", {"carrier": one, "key": one})
    monkeypatch.setattr(freezing, "_follow_ups", {})
    return frozen


@pytest.fixture
def desks(appoint, store):
    """Name → the desk of this person, signed in, in English."""
    people = {
        "clerk": ("460100-01", "clerk"),
        "officer": ("460100", "key_officer"),
        "security": ("460100", "security_administrator"),
        "approver": ("460100", "approver"),
        "above": ("460000", "key_officer"),
    }
    actors = {name: appoint(name, *where) for name, where in people.items()}
    found = {name: signed_in(StaffMember.objects.get(pk=actor.staff_id)) for name, actor in actors.items()}
    for name, desk in found.items():
        desk.actor = actors[name]
    return found
