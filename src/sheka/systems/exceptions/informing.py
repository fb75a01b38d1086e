"""Who hears of a case: the officer who holds it, the person who opened a dispute, the approvers (S10).

The institution reads the lines that are told to it with its dispute, over the API.
"""

from __future__ import annotations

from collections.abc import Iterable

from sheka.office.approvals.seats import colleagues_with
from sheka.office.staff.permissions import Permission
from sheka.office.work.notices import notify
from sheka.systems.exceptions.models import Dispute, ExceptionCase
from sheka.systems.exceptions.work import TOLD, title_of


def tell_staff(case: ExceptionCase, people: Iterable[int], *, zh: str, en: str, kind: str = TOLD) -> None:
    """A notice to each, with the case in a few words."""
    title = title_of(case)
    zh, en = f"{title.zh}（{case.number}）：{zh}", f"{title.en} ({case.number}): {en}"
    for staff_id in dict.fromkeys(people):
        notify(staff_id, kind, case.key, zh=zh, en=en)


def tell_opener(case: ExceptionCase, *, zh: str, en: str) -> None:
    """The clerk who took a citizen's dispute hears what became of it, and tells the citizen."""
    dispute = Dispute.objects.filter(case=case).first()
    if dispute is not None and dispute.opener_id is not None:
        tell_staff(case, [dispute.opener_id], zh=zh, en=en)


def approvers(case: ExceptionCase) -> list[int]:
    """Who may decide here."""
    return [one.pk for one in colleagues_with(case.organisation_id, Permission.EXCEPTION_DECIDE)]
