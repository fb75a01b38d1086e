"""Open cases are looked at with the rules again: what explains them may come later (S10)."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone

from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.exceptions.actions.judge_case import judge_case
from sheka.systems.exceptions.models import ExceptionCase
from sheka.systems.exceptions.rules import fitting
from sheka.systems.exceptions.standing import standing_of
from sheka.systems.exceptions.states import CASE


@action(Permission.EXCEPTION_HANDLE)
def look_again(actor: Actor, *, numbers: Sequence[str]) -> list[str]:
    """The numbers of the cases among these that a rule ends now; the others are marked as looked at. One row of audit
    for all that stay as they are: a case that waits for weeks does not fill it.
    """
    rows = ExceptionCase.objects.filter(number__in=numbers, state=CASE.initial, by_hand=False)
    ended = []
    for case in rows.select_for_update(of=("self",)).order_by("pk"):
        found = fitting(case, standing_of(case))
        if found is not None and found[0].effect != "suggest":
            judge_case(actor, number=case.number)
            ended.append(case.number)
    rows.update(judged_at=timezone.now())
    record(actor, "exception.looked_again", f"exceptions:{actor.organisation}", cases=len(numbers), ended=len(ended))
    return ended
