"""The turns of abnormal transactions: what is new becomes a case and is judged every few seconds; deadlines (S10)."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from sheka.office.approvals.models import Proposal
from sheka.office.jobs.registry import periodic
from sheka.office.staff.actors import Actor
from sheka.systems.exceptions.actions.judge_case import judge_case
from sheka.systems.exceptions.actions.look_again import look_again
from sheka.systems.exceptions.actions.take_findings import (
    take_abnormal,
    take_expired_holds,
    take_unanswered,
    take_unbalanced,
    take_untold,
)
from sheka.systems.exceptions.actions.watch_case import watch_case
from sheka.systems.exceptions.models import ExceptionCase
from sheka.systems.exceptions.policy import policy
from sheka.systems.exceptions.states import CASE, RUNNING, UNKNOWN, UNTOUCHED

AT_ONCE = 1000
AGAIN_SECONDS = 20
"""How long after it was asked the ledger is asked again about an outcome that is unknown."""
log = logging.getLogger("sheka.exceptions")


@periodic("exceptions.take", cron="* * * * * */5")
def take() -> None:
    """What is new becomes a case; cases that nobody has touched are judged."""
    for taker in (take_abnormal, take_expired_holds, take_untold, take_unanswered, take_unbalanced):
        while True:
            with transaction.atomic():
                taken = taker(AT_ONCE)
            if taken < AT_ONCE:
                break
    judge_all()


def judge_all() -> None:
    """Every case that was not judged yet; an unknown one again and again until it is known."""
    again = Q(state=UNKNOWN, judged_at__lt=timezone.now() - timedelta(seconds=AGAIN_SECONDS))
    fresh = Q(state__in=UNTOUCHED, judged_at=None)
    rows = ExceptionCase.objects.filter(fresh | again, by_hand=False)
    _each(rows.order_by("pk").values_list("number", "organisation_id")[:AT_ONCE], judge_case)


@periodic("exceptions.watch", cron="* * * * *")
def watch() -> None:
    """Every case for which something has become due."""
    today = timezone.localdate()
    running = Proposal.objects.filter(state__in=("open", "returned", "approved", "done")).values("number")
    due = (
        Q(state__in=RUNNING, due_on__lt=today, escalated_at=None)
        | Q(state="asked", answer_due_on__lt=today)
        | Q(state="proposed") & ~Q(proposal__in=running)
    )
    rows = ExceptionCase.objects.filter(due).order_by("pk").values_list("number", "organisation_id")
    _each(rows[:AT_ONCE], watch_case)
    _again()


def _again() -> None:
    """Open cases that nobody has in hand are looked at with the rules once more: what explains them may have come."""
    before = timezone.now() - timedelta(minutes=policy().again_minutes)
    rows = ExceptionCase.objects.filter(state=CASE.initial, by_hand=False, judged_at__lt=before).order_by("judged_at")
    by_place: dict[str, list[str]] = defaultdict(list)
    for number, code in rows.values_list("number", "organisation_id")[:AT_ONCE]:
        by_place[code].append(number)
    for code, numbers in sorted(by_place.items()):
        look_again(Actor.process("exceptions", code), numbers=numbers)


def _each(rows: object, verb: Callable[..., object]) -> None:
    """Each in a transaction of its own; one that fails holds up none, and the turn says so."""
    failure = None
    for number, code in list(rows):  # type: ignore[call-overload]
        try:
            verb(Actor.process("exceptions", code), number=number)
        except Exception as error:
            log.exception("exception case %s", number)
            failure = error
    if failure is not None:
        raise failure
