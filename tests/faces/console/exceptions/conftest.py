"""Fixtures of the exceptions desk: cases of several kinds, and people at their desks."""

from __future__ import annotations

import uuid

import pytest
from tests.support.desks import signed_in
from tests.support.organisations import appoint, installer, tree
from tests.support.payments import CITY, HOSPITAL, bank, haikou_machine, switch, terminal

from sheka.office.staff.actors import Actor
from sheka.office.staff.models import StaffMember
from sheka.systems.exceptions.abnormal import Abnormal
from sheka.systems.exceptions.actions.open_cases import open_cases
from sheka.systems.exceptions.actions.open_dispute import disputable_of_card, open_dispute
from sheka.systems.exceptions.jobs import judge_all
from sheka.systems.exceptions.models import ExceptionCase, Reason

__all__ = ["appoint", "bank", "haikou_machine", "installer", "switch", "terminal", "tree"]
PEOPLE = {
    "officer": (CITY, "exceptions_officer"),
    "approver": (CITY, "exceptions_approver"),
    "clerk": ("460100-01", "clerk"),
    "clearing": (CITY, "clearing_officer"),
}


@pytest.fixture
def desks(appoint):
    """Name → the desk of this person, signed in, in English."""
    actors = {name: appoint(f"p{number}", *where) for number, (name, where) in enumerate(PEOPLE.items())}
    found = {name: signed_in(StaffMember.objects.get(pk=actor.staff_id)) for name, actor in actors.items()}
    for name, desk in found.items():
        desk.actor = actors[name]
    return found


@pytest.fixture
def purchase(terminal, bank):
    """A purchase of 12.34 yuan that went through the switch."""
    made = terminal.new_purchase(bank.cards[0].number, 1_234)
    assert terminal.send_purchase(made).approved
    return made


@pytest.fixture
def cases(bank, purchase, desks):
    """One case with two sides that differ, one that a rule suggests about, one that a rule closed, a dispute."""
    process = Actor.process("test", CITY)
    key = f"{HOSPITAL}:460100000001:{purchase.at:%Y%m%d}:{purchase.stan:06d}:1"
    card, day = bank.cards[0].number, f"{purchase.at:%Y-%m-%d}"
    ours = {"amount": 1_234, "card": card, "settlement_date": day}
    theirs = {"line": 2, "amount": 1_432, "card": card, "settlement_date": day}
    only = f"{HOSPITAL}:460100000002:{purchase.at:%Y%m%d}:000044:1"
    twice = f"{HOSPITAL}:460100000003:{purchase.at:%Y%m%d}:000045:1"
    open_cases(
        process,
        items=[
            Abnormal(key, Reason.AMOUNT, 198, ours, theirs),
            Abnormal(only, Reason.ONLY_THEIRS, 900, None, {"line": 3, "amount": 900, "card": card}),
            Abnormal(twice, Reason.DUPLICATE, 500, {"amount": 500}, {"line": 4, "amount": 500, "times": 2}),
        ],
    )
    clerk = desks["clerk"].actor
    (row,) = disputable_of_card(clerk, card_number=card)
    open_dispute(
        clerk, client_id=uuid.uuid4(), transaction=row.id, complaint="twice", claimed=1_234, text="我只买了一次药。"
    )
    judge_all()
    return {case.reason: case for case in ExceptionCase.objects.all()}
