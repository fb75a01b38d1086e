"""The tests that automatic rules ask of our books, by the names that policy/exceptions.toml uses (S10).

A test answers the facts on which the rule applies, or None. `posting` among them is the entry that a rule resolves by.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from sheka.systems.exceptions.models import ExceptionCase, Reason
from sheka.systems.exceptions.policy import Rule, policy
from sheka.systems.exceptions.queries import is_on
from sheka.systems.exceptions.standing import Standing, reconciled_flat
from sheka.systems.exceptions.states import UNKNOWN
from sheka.systems.transactions.queries_of_batches import batch_after
from sheka.systems.transactions.queries_of_unanswered import approved_again, booked_since, last_fault, terminal_numbered

Facts = dict[str, Any]
_HANDLED = ("active", "closed")
_tests: dict[str, Callable[[ExceptionCase, Standing], Facts | None]] = {}


def fitting(case: ExceptionCase, standing: Standing) -> tuple[Rule, Facts] | None:
    """The first rule that is on here, of this reason and amount, whose test fits; with the facts on which it does."""
    for rule in policy().rules:
        if case.reason not in rule.reasons or not is_on(rule, case.organisation_id):
            continue
        if rule.below is not None and case.amount >= rule.below:
            continue
        facts = _tests[rule.test](case, standing)
        if facts is not None:
            return rule, facts
    return None


def test_names() -> frozenset[str]:
    """The tests that a policy may name."""
    return frozenset(_tests)


def _test(
    body: Callable[[ExceptionCase, Standing], Facts | None],
) -> Callable[[ExceptionCase, Standing], Facts | None]:
    _tests[body.__name__.strip("_")] = body
    return body


@_test
def _always(case: ExceptionCase, standing: Standing) -> Facts | None:
    return {"times": case.times}


@_test
def _booked(case: ExceptionCase, standing: Standing) -> Facts | None:
    """Our books have it, and it was not given back. A terminal that has no answer gets the time to reverse or to ask
    again before that is the end of it; and where a reversal came that we could not book, a person decides.
    """
    if _asks_back(case):
        return None
    if case.state == UNKNOWN and "hop" in case.facts and _waited(case) < timedelta(minutes=policy().unknown_minutes):
        return None
    return standing.facts() | {"posting": standing.request.id} if standing.booked else None


@_test
def _refused(case: ExceptionCase, standing: Standing) -> Facts | None:
    """Our books have it and no money is gone: refused, or reversed."""
    return standing.facts() if standing.request is not None and not standing.booked else None


@_test
def _reversed(case: ExceptionCase, standing: Standing) -> Facts | None:
    """A reversal in our books took it back: the terminal did not wait for the answer."""
    if standing.request is None or standing.reversal is None or standing.reversal.account_id is None:
        return None
    return standing.facts()


@_test
def _repeated(case: ExceptionCase, standing: Standing) -> Facts | None:
    """It is booked, and the terminal asked again and got the stored approval: both sides know the outcome."""
    if not standing.booked or case.stan is None or case.business_date is None or _asks_back(case):
        return None
    later = approved_again(case.terminal, case.business_date, case.stan, standing.request.booked_at)
    if later is None:
        return None
    kind, at = later
    again = {"type": kind, "came_at": timezone.localtime(at).isoformat(), "refusal": 0}
    return standing.facts() | {"again": again, "posting": standing.request.id}


@_test
def _never_came(case: ExceptionCase, standing: Standing) -> Facts | None:
    """Nothing is stored under its key, and it can no longer be on its way."""
    waited = _waited(case)
    if standing.request is not None or waited < timedelta(minutes=policy().unknown_minutes):
        return None
    return {"waited_seconds": int(waited.total_seconds())}


@_test
def _nothing_booked(case: ExceptionCase, standing: Standing) -> Facts | None:
    return None if standing.booked else standing.facts()


@_test
def _not_booked(case: ExceptionCase, standing: Standing) -> Facts | None:
    return None if standing.booked else standing.facts()


@_test
def _reversal_booked(case: ExceptionCase, standing: Standing) -> Facts | None:
    """The reversal is in our books."""
    if standing.reversal is None or standing.reversal.account_id is None:
        return None
    return standing.facts() | {"posting": standing.reversal.id}


@_test
def _same_amount(case: ExceptionCase, standing: Standing) -> Facts | None:
    """Both sides have the same amount."""
    ours, theirs = case.ours or {}, case.theirs or {}
    if "amount" not in ours or ours["amount"] != theirs.get("amount"):
        return None
    return {"ours": ours["amount"], "theirs": theirs["amount"], "times": theirs.get("times")}


@_test
def _released(case: ExceptionCase, standing: Standing) -> Facts | None:
    """A hold ended, and what it held is free."""
    return {"pending": case.facts["pending"], "amount": case.amount} if "pending" in case.facts else None


@_test
def _date_shift(case: ExceptionCase, standing: Standing) -> Facts | None:
    """The other side has the same item, with the same amount, in the clearing day before or after ours."""
    if case.reason == Reason.ONLY_THEIRS:
        theirs = case.theirs or {}
        row = standing.request if str(standing.request and standing.request.kind) == _kind(case) else standing.reversal
        if row is None or row.refusal or row.amount != theirs.get("amount") or str(row.kind) != _kind(case):
            return None
        return _neighbours(row.window.settlement_date, theirs.get("settlement_date"), row.id)
    ours = case.ours or {}
    other = ExceptionCase.objects.filter(
        organisation_id=case.organisation_id, subject=case.subject, reason=Reason.ONLY_THEIRS
    ).first()
    if other is None or not other.theirs or other.theirs.get("amount") != ours.get("amount"):
        return None
    day = ours.get("settlement_date")
    if not day:
        return None
    return _neighbours(date.fromisoformat(str(day)), other.theirs.get("settlement_date"), ours.get("transaction"))


def _asks_back(case: ExceptionCase) -> bool:
    """Whether the message of the case is a reversal: a till that sent one gave nothing for the money."""
    return str(case.facts.get("type", "")).startswith("04")


def _waited(case: ExceptionCase) -> timedelta:
    return timezone.now() - case.opened_at


def _kind(case: ExceptionCase) -> str:
    return case.subject.rpartition(":")[2]


def _neighbours(ours: date, theirs: Any, number: Any) -> Facts | None:
    if not theirs or abs((ours - date.fromisoformat(str(theirs))).days) != 1:
        return None
    return {"ours": ours.isoformat(), "theirs": str(theirs), "transaction": number}


@_test
def _unlocked(case: ExceptionCase, standing: Standing) -> Facts | None:
    """A person released or closed the terminal that was locked for wrong messages, and the audit says why."""
    if not case.facts.get("locked"):
        return None
    row = terminal_numbered(case.terminal)
    return {"terminal": row.number, "state": row.state} if row is not None and row.state in _HANDLED else None


@_test
def _clock_right(case: ExceptionCase, standing: Standing) -> Facts | None:
    """No message of the terminal had a wrong time for so many hours, and it went on working."""
    last = last_fault(case.terminal, "clock")
    hours = policy().clock_hours
    if last is None or timezone.now() - last < timedelta(hours=hours) or not booked_since(case.terminal, last):
        return None
    return {"terminal": case.terminal, "last_fault": timezone.localtime(last).isoformat(), "hours": hours}


@_test
def _many(case: ExceptionCase, standing: Standing) -> Facts | None:
    """The same is wrong of one terminal again and again: somebody should see it, whatever each case says by itself."""
    since = timezone.now() - timedelta(hours=policy().many_hours)
    alike = ExceptionCase.objects.filter(
        organisation_id=case.organisation_id, reason=case.reason, terminal=case.terminal, opened_at__gte=since
    )
    times = sum(alike.values_list("times", flat=True))
    if not case.terminal or times < policy().many_times:
        return None
    return {"terminal": case.terminal, "times": times, "hours": policy().many_hours}


@_test
def _balanced_since(case: ExceptionCase, standing: Standing) -> Facts | None:
    """The terminal settled again in balance, or uploaded its lines: what differs has its own case, line by line."""
    later = batch_after(case.facts["batch"]) if "batch" in case.facts else None
    if later is None:
        return None
    return {"batch": later.number, "after_upload": later.after_upload, "refusal": later.refusal}


@_test
def _day_flat(case: ExceptionCase, standing: Standing) -> Facts | None:
    """The clearing day was reconciled item by item against the institution's file and is flat: sums cannot differ."""
    day = case.facts.get("settlement_date")
    return reconciled_flat(case.organisation_id, case.institution, str(day)) if day else None
