"""Approved interest is booked from the fund in chunks (S6). A frozen account waits until it is open again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import Sum
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.approvals.models import Proposal
from sheka.office.audit.trail import record
from sheka.office.jobs.actions.start_job import start_job
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.accounts.actions.reckon_interest import locked_run, payload_of
from sheka.systems.accounts.booking import number_from
from sheka.systems.accounts.interest import lines_digest
from sheka.systems.accounts.models import Account, EntryKind, InterestLine, InterestRun
from sheka.systems.accounts.policy import ACCOUNTS, in_force
from sheka.systems.accounts.posting import Item, post
from sheka.systems.accounts.states import INTEREST_RUN

BOOK_INTEREST_JOB = "accounts.book_interest"


def approved(actor: Actor, proposal: Proposal) -> dict[str, Any]:
    """The last approval: the run is what was read, and the job begins. Runs in its transaction.

    Raises Refused: INTEREST_UNKNOWN, INTEREST_ALTERED, STATE_FORBIDS.
    """
    node = Actor.process("accounts", proposal.organisation_id)
    run = locked_run(node, proposal.payload["run"])
    if payload_of(run) != proposal.payload or lines_digest(run) != run.digest:
        raise Refused(Code.INTEREST_ALTERED, run=run.number)
    run.state = INTEREST_RUN.after(run.state, "approve")
    run.job = start_job(node, BOOK_INTEREST_JOB, number=run.number).pk
    run.save(update_fields=["state", "job"])
    record(actor, "interest.approved", run.subject, total=run.total)
    return {"run": run.number}


@action(Permission.ACCOUNT_DECIDE)
def resume_interest(actor: Actor, *, number: str) -> InterestRun:
    """Book what waited, for accounts that are open again. Raises Refused: INTEREST_UNKNOWN, STATE_FORBIDS."""
    run = locked_run(actor, number)
    run.state = INTEREST_RUN.after(run.state, "resume")
    record(actor, "interest.resumed", run.subject, waiting=run.waiting)
    run.job = start_job(Actor.process("accounts", run.organisation_id), BOOK_INTEREST_JOB, number=run.number).pk
    run.save(update_fields=["state", "job"])
    return run


def book_interest(actor: Actor, number: str, tell: Callable[[int, int], None] | None = None) -> InterestRun:
    """Every line that can be booked, chunk by chunk. Called by the job."""
    after = 0
    while True:
        run, after = book_interest_lines(actor, number=number, after=after)
        if tell:
            tell(run.booked, run.accounts)
        if run.state != "booking":
            return run


@action(Permission.ACCOUNT_DECIDE)
def book_interest_lines(actor: Actor, *, number: str, after: int = 0) -> tuple[InterestRun, int]:
    """The next lines behind this account, each once; the run is done when there are none. That a line is booked stands
    in it from the same transaction; its number is that of this turn, since one that was refused stays refused.

    Raises Refused: INTEREST_UNKNOWN, STATE_FORBIDS.
    """
    run = locked_run(actor, number)
    done = INTEREST_RUN.after(run.state, "finish")
    size = in_force(ACCOUNTS, "deposit_file", timezone.localdate())["chunk"]
    rows = run.rows.filter(booked=False, account_id__gt=after, account__state="open").order_by("account_id")[:size]
    lines = list(rows)
    if not lines:
        return _finished(actor, run, done), after
    items = [
        Item(
            client_id=number_from(run.number, line.account_id, run.job),
            kind=EntryKind.INTEREST,
            debit=run.fund,
            credit=Account(pk=line.account_id),
            amount=line.amount,
            reference=f"{run.year}",
        )
        for line in lines
    ]
    booked = [line for line, one in zip(lines, post(actor, items), strict=True) if one.done]
    InterestLine.objects.filter(run=run, account_id__in=[line.account_id for line in booked]).update(booked=True)
    run.booked += len(booked)
    run.booked_total += sum(line.amount for line in booked)
    run.save(update_fields=["booked", "booked_total"])
    record(actor, "interest.lines_booked", run.subject, count=len(booked), refused=len(lines) - len(booked))
    return run, lines[-1].account_id


def take_waiting(actor: Actor, account: Account) -> int:
    """The interest of booked years that waited for an account which ends now, in fen. The caller, an action, books it
    with the end: here it waits no more.
    """
    runs = InterestRun.objects.select_for_update().filter(
        organisation_id=account.organisation_id, scheme=account.scheme, state__in=("booking", "booked")
    )
    total = 0
    for run in runs.order_by("pk"):
        amount = run.rows.filter(account_id=account.pk, booked=False).values_list("amount", flat=True).first()
        if amount is None:
            continue
        run.rows.filter(account_id=account.pk).update(booked=True)
        run.booked, run.booked_total, run.waiting = run.booked + 1, run.booked_total + amount, max(0, run.waiting - 1)
        run.save(update_fields=["booked", "booked_total", "waiting"])
        record(actor, "interest.taken_with_the_end", run.subject, account=account.number, amount=amount)
        total += amount
    return total


def _finished(actor: Actor, run: InterestRun, state: str) -> InterestRun:
    left = run.rows.filter(booked=False)
    waiting = left.aggregate(total=Sum("amount"))["total"] or 0
    if run.booked_total + waiting != run.total:
        raise Refused(Code.DEPOSIT_TOTAL, got=run.booked_total, expected=run.total - waiting)
    # an account that ended before the year was decided had it with its end
    run.waiting, run.state, run.booked_at = left.exclude(account__state="closed").count(), state, timezone.now()
    run.save(update_fields=["waiting", "state", "booked_at"])
    record(actor, "interest.booked", run.subject, booked=run.booked, total=run.booked_total, waiting=run.waiting)
    return run
