"""The interest of a year is reckoned, looked at, and put before a second person (S6)."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import connection
from django.db.models import Count, Sum
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.actions import action
from sheka.office.approvals.actions.propose import propose
from sheka.office.approvals.models import Proposal
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.accounts.interest import lines_digest, reckon
from sheka.systems.accounts.models import Account, InterestRun, Kind
from sheka.systems.accounts.policy import rates
from sheka.systems.accounts.queries import PERSONAL_SCHEMES
from sheka.systems.accounts.states import INTEREST_RUN

INTEREST = "accounts.interest"
ENDED = ("rejected", "withdrawn", "expired")
"""A request that was not approved and never will be."""


@action(Permission.ACCOUNT_INTEREST)
def reckon_interest(actor: Actor, *, year: int, scheme: str = "310") -> InterestRun:
    """Reckon a year that has ended, for every account of the actor's organisation. Nothing is booked.

    Raises Refused: ACCOUNT_SCHEME_UNKNOWN, INTEREST_YEAR, INTEREST_RUN_EXISTS, INTEREST_NOTHING, ACCOUNT_POLICY,
    ACCOUNT_UNKNOWN (the fund that pays).
    """
    if scheme not in PERSONAL_SCHEMES:
        raise Refused(Code.ACCOUNT_SCHEME_UNKNOWN, scheme=scheme)
    if not 2000 <= year < timezone.localdate().year:
        raise Refused(Code.INTEREST_YEAR, year=year)
    _alone(actor.organisation, scheme)
    runs = InterestRun.objects.exclude(state="withdrawn").filter(organisation_id=actor.organisation, scheme=scheme)
    if there := runs.filter(year=year).first():
        raise Refused(Code.INTEREST_RUN_EXISTS, year=year, run=there.number)
    terms = rates(scheme, date(year, 1, 1), date(year, 12, 31))
    fund = Account.objects.filter(organisation_id=actor.organisation, kind=Kind.FUND, party=terms[0].fund).first()
    if fund is None:
        raise Refused(Code.ACCOUNT_UNKNOWN, account=f"{Kind.FUND.value} {terms[0].fund}")
    run = InterestRun.objects.create(
        number=f"L{actor.organisation}{scheme}{year}{timezone.localtime():%m%d%H%M%S%f}"[:40],
        organisation_id=actor.organisation,
        fund=fund,
        scheme=scheme,
        year=year,
        terms=[rate.plain() for rate in terms],
        accounts=0,
        total=0,
        digest="",
        made_by=actor.name,
        made_at=timezone.now(),
    )
    reckon(run, terms)
    sums = run.rows.aggregate(accounts=Count("account_id"), total=Sum("amount"))
    if not sums["accounts"]:
        raise Refused(Code.INTEREST_NOTHING, year=year)
    run.accounts, run.total, run.digest = sums["accounts"], sums["total"], lines_digest(run)
    run.save()
    record(
        actor, "interest.reckoned", run.subject, year=year, accounts=run.accounts, total=run.total, digest=run.digest
    )
    return run


@action(Permission.ACCOUNT_INTEREST)
def propose_interest(actor: Actor, *, number: str) -> Proposal:
    """Put a reckoned run before a second person, with its totals and the digest of its lines.

    Raises Refused: INTEREST_UNKNOWN, STATE_FORBIDS.
    """
    run = locked_run(actor, number)
    run.state = INTEREST_RUN.after(run.state, "propose")
    made = propose(actor, kind=INTEREST, subject=run.subject, payload=payload_of(run))
    run.proposal = made.number
    run.save(update_fields=["state", "proposal"])
    record(actor, "interest.proposed", run.subject, total=run.total, digest=run.digest)
    return made


@action(Permission.ACCOUNT_INTEREST)
def withdraw_interest(actor: Actor, *, number: str) -> InterestRun:
    """A run that was not proposed, or whose request ended without approval, makes room for another.

    Raises Refused: INTEREST_UNKNOWN, STATE_FORBIDS.
    """
    run = locked_run(actor, number)
    state = INTEREST_RUN.after(run.state, "withdraw")
    if run.state == "proposed":
        request = Proposal.objects.get(number=run.proposal, organisation_id=run.organisation_id)
        if request.state not in ENDED:
            raise Refused(Code.STATE_FORBIDS, state=request.state, verb="withdraw", allowed=", ".join(ENDED))
    run.state = state
    run.save(update_fields=["state"])
    record(actor, "interest.withdrawn", run.subject)
    return run


def payload_of(run: InterestRun) -> dict[str, Any]:
    """What is decided: plain JSON."""
    return {
        "run": run.number,
        "year": run.year,
        "scheme": run.scheme,
        "fund": run.fund.number,
        "accounts": run.accounts,
        "total": run.total,
        "digest": run.digest,
        "terms": run.terms,
    }


def terms_told(terms: list[dict[str, Any]]) -> Term:
    """The rates in one line."""
    zh = "；".join(f"{one['first']} 至 {one['last']}：年利率 {one['annual']}，{one['day_count']} 天" for one in terms)
    en = "; ".join(
        f"{one['first']} to {one['last']}: {one['annual']} a year of {one['day_count']} days" for one in terms
    )
    return Term(zh, en)


def locked_run(actor: Actor, number: str) -> InterestRun:
    """The run of the actor's organisation, locked. Raises Refused: INTEREST_UNKNOWN, ORGANISATION_OUT_OF_REACH."""
    found = InterestRun.objects.select_for_update().filter(number=number).first()
    if found is None:
        raise Refused(Code.INTEREST_UNKNOWN, run=number)
    actor.must_act_for(found.organisation_id)
    return found


def _alone(organisation: str, scheme: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 4341))", [f"{organisation}{scheme}"])
