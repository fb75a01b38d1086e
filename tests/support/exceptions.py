"""Abnormal items for the tests: what clearing finds, what the switch tells."""

from __future__ import annotations

from django.utils import timezone
from tests.support.payments import CITY, HOSPITAL

from sheka.office.approvals.models import Proposal
from sheka.office.staff.actors import Actor
from sheka.office.work.models import WorkNotice
from sheka.office.work.scope import reading_as
from sheka.systems.exceptions.abnormal import Abnormal
from sheka.systems.exceptions.actions.open_cases import open_cases
from sheka.systems.exceptions.models import Reason
from sheka.systems.transactions.queries_of_abnormal import AbnormalRow

SAID = "The institution says that it served the patient."


def subject_of(purchase, kind=1):
    return f"{HOSPITAL}:460100000001:{purchase.at:%Y%m%d}:{purchase.stan:06d}:{kind}"


def opened(item):
    (case,) = open_cases(Actor.process("test", CITY), items=[item])
    return case


def told(kind, number=1, stan=7, **facts):
    """A row as the switch writes it."""
    now = timezone.now()
    return AbnormalRow(number, now, number, kind, HOSPITAL, CITY, "460100000001", now.date(), stan, True, facts)


def proposal_of(case):
    case.refresh_from_db()
    return Proposal.objects.get(number=case.proposal)


def notices(actor, case):
    with reading_as(actor.staff_id):
        return list(WorkNotice.objects.filter(staff_id=actor.staff_id, subject=case.key).values_list("kind", flat=True))


def only_theirs(bank, **theirs):
    return Abnormal(
        f"{HOSPITAL}:460100000001:20261120:000099:1",
        Reason.ONLY_THEIRS,
        900,
        None,
        {"line": 2, "amount": 900, "card": bank.cards[0].number, "settlement_date": "2026-11-20"} | theirs,
    )
