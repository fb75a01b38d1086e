"""Requests of the tests' own: one step at home, two people at home, and a way over three levels."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from tests.support.approvals import policy_with

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.approvals.actions.propose import propose
from sheka.office.approvals.matters import Field, Matter, register
from sheka.office.approvals.models import Proposal
from sheka.office.audit.trail import record
from sheka.office.messages.delivery import carry_all
from sheka.office.staff.permissions import Permission

HEAD = """
[[route]]
kind = "{kind}"
valid_from = 2026-01-01
days = 60
completion_days = 10
carry_out_days = 5
resume = "{resume}"
local = true
source = "tests"
"""
STEP = """
[[route.step]]
level = "{0}"
permission = "{1}"
zh = "{2}"
en = "{3}"
people = {4}
confirm = {5}
days = {6}
"""
HOME = ("own", "key.decide", "本级审批", "At home", 1, "false", 20)
TWO_AT_HOME = ("own", "key.decide", "两人审批", "Two at home", 2, "false", 20)
PROVINCE = ("province", "issuance.examine", "省级审批", "Province", 1, "false", 20)
MINISTRY = ("ministry", "issuance.approve", "部级审批", "Ministry", 2, "true", 20)
WAYS = {
    "test.one": ("first", [HOME]),
    "test.two": ("first", [TWO_AT_HOME]),
    "test.plan": ("first", [HOME]),
    "test.home": ("first", [HOME, ("own", "key.distribute", "复核", "Second look", 1, "false", 20)]),
    "test.way": ("first", [HOME, PROVINCE, MINISTRY]),
    "test.asker": ("asker", [HOME, PROVINCE, MINISTRY]),
}


def check(actor, payload):
    """A payload with this in it cannot be put before anybody."""
    if payload.get("amount") == 0:
        raise Refused(Code.ISSUANCE_REFERENCE)


def carry_out(actor, proposal):
    record(actor, "approval.test_done", proposal.key)
    return {"made": proposal.payload["amount"] * 2}


def note(actor, proposal):
    record(actor, "approval.test_noted", proposal.key, state=proposal.state)


for kind in WAYS:
    at_once = kind in ("test.way", "test.asker")
    register(
        Matter(
            kind=kind,
            title=Term("测试事项", "Matter of a test"),
            proposes=Permission.CARD_ORDER if kind == "test.plan" else Permission.KEY_PROPOSE,
            views=Permission.KEY_VIEW,
            fields=(Field("amount", Term("数目", "Amount"), edit=True), Field("names", Term("名称", "Names"))),
            check=check,
            carry_out=carry_out if at_once else None,
            note=note,
        )
    )


@pytest.fixture
def routes(monkeypatch, tmp_path):
    """The routes of WAYS are in force."""
    text = "".join(
        HEAD.format(kind=kind, resume=resume) + "".join(STEP.format(*step) for step in steps)
        for kind, (resume, steps) in WAYS.items()
    )
    monkeypatch.setenv("SHEKA_POLICY", str(policy_with(tmp_path, text)))


@pytest.fixture
def people(appoint, routes):
    """Who plays: an author and deciders at home, examiners at the province, reviewers at the ministry."""
    return {
        "author": appoint("author", "460100", "key_officer"),
        "colleague": appoint("colleague", "460100", "key_officer"),
        "one": appoint("one", "460100", "approver"),
        "two": appoint("two", "460100", "approver"),
        "three": appoint("three", "460100", "approver"),
        "examiner": appoint("examiner", "460000", "examiner"),
        "reviewer": appoint("reviewer", "000000", "reviewer"),
        "second": appoint("second", "000000", "reviewer"),
    }


@pytest.fixture
def ask(people):
    """ask(kind) → a request of the author."""

    def make(kind="test.one", amount=7, **payload):
        return propose(people["author"], kind=kind, subject="a case", payload={"amount": amount, **payload})

    return make


@pytest.fixture
def copy():
    """copy(request, organisation) → that organisation's copy, after all messages were carried."""

    def find(proposal, place):
        carry_all()
        return Proposal.objects.filter(number=proposal.number, organisation_id=place).first()

    return find


@pytest.fixture
def refused():
    """refused(Code, verb, …) asserts that the verb is refused with exactly this number; the refusal."""

    def expect(code, verb, *args, **kwargs):
        with pytest.raises(Refused) as caught:
            verb(*args, **kwargs)
        assert caught.value.code is code, str(caught.value)
        assert "?" not in caught.value.text("en") + caught.value.todo("en"), "a fact of the sentence is missing"
        return caught.value

    return expect


@pytest.fixture
def too_late():
    """too_late(request): its time ran out a second ago."""

    def set_back(proposal):
        Proposal.objects.filter(pk=proposal.pk).update(due_at=timezone.now() - timedelta(seconds=1))

    return set_back
