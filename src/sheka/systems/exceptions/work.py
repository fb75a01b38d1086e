"""The work and the notices that abnormal transactions give: each case that runs is an item (S10)."""

from __future__ import annotations

from typing import Any

from sheka.foundation.money import format_yuan
from sheka.foundation.terms import Term
from sheka.office.staff.permissions import Permission
from sheka.office.work.kinds import Address, work_kind
from sheka.office.work.notices import notice_kind
from sheka.systems.exceptions.labels import REASONS
from sheka.systems.exceptions.models import ExceptionCase

HANDLE = "exception.handle"
LATE, TOLD = "exception.late", "exception.told"


def _page(subject: str) -> Address:
    return "console:exceptions_one", subject.partition(":")[2]


work_kind(HANDLE, Term("异常待处理", "Exception to handle"), address=_page, todo=Term("处理", "Handle"), tone="stop")
notice_kind(LATE, Term("异常超过期限", "Exception past its deadline"), severity="stop", address=_page)
notice_kind(TOLD, Term("异常处理进展", "News of an exception"), severity="info", address=_page)


def title_of(case: ExceptionCase) -> Term:
    """What differs, and by how much."""
    word = REASONS[case.reason]
    return Term(
        f"{word.zh}：{format_yuan(case.amount, 'zh')}",
        f"{word.en}: {format_yuan(case.amount, 'en')}",
    )


def work_of(case: ExceptionCase) -> dict[str, Any]:
    """The item of a case, for `open_work`."""
    title = title_of(case)
    return {
        "kind": HANDLE,
        "subject": case.key,
        "organisation": case.organisation_id,
        "permission": Permission.EXCEPTION_HANDLE,
        "title_zh": title.zh,
        "title_en": title.en,
        "due_on": case.due_on,
    }
