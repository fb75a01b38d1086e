"""The jobs of accounts (S6): a file of deposits is checked, then booked; interest is booked."""

from __future__ import annotations

from typing import Any

from sheka.office.jobs.progress import Progress
from sheka.office.jobs.registry import job
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.accounts import turns as turns
from sheka.systems.accounts.actions.book_deposit_file import book_deposit_file
from sheka.systems.accounts.actions.book_interest import BOOK_INTEREST_JOB, book_interest
from sheka.systems.accounts.actions.receive_deposit_file import BOOK_JOB, CHECK_JOB, check_deposit_file


@job(
    CHECK_JOB,
    title_zh="核对入账文件",
    title_en="Check of a file of deposits",
    permission=Permission.ACCOUNT_FILE,
    whole=False,
)
def check(actor: Actor, progress: Progress, *, number: str) -> dict[str, Any]:
    """Every line beside its account, the totals proved."""
    row = check_deposit_file(
        actor, number=number, tell=lambda done: progress(done, None, ("核对行", "lines are compared"))
    )
    return {"file": row.number, "state": row.state, "lines": row.lines, "refused": row.refused}


@job(
    BOOK_JOB,
    title_zh="入账文件记账",
    title_en="Booking of a file of deposits",
    permission=Permission.ACCOUNT_FILE,
    whole=False,
    attempts=10,
)
def book(actor: Actor, progress: Progress, *, number: str) -> dict[str, Any]:
    """In chunks; a second run goes on behind the last one."""
    row = book_deposit_file(actor, number, lambda done, total: progress(done, total, ("记账", "booking")))
    return {"file": row.number, "booked": row.booked, "refused": row.refused}


@job(
    BOOK_INTEREST_JOB,
    title_zh="利息入账",
    title_en="Booking of interest",
    permission=Permission.ACCOUNT_DECIDE,
    whole=False,
    attempts=10,
)
def interest(actor: Actor, progress: Progress, *, number: str) -> dict[str, Any]:
    """In chunks; a second run books what the first one left."""
    row = book_interest(actor, number, lambda done, total: progress(done, total, ("记账", "booking")))
    return {"run": row.number, "booked": row.booked, "waiting": row.waiting}
