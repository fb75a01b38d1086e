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
from sheka.systems.exceptions.standing import Standing

Facts = dict[str, Any]
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
    """Our books have it, and it was not given back."""
    return standing.facts() | {"posting": standing.request.id} if standing.booked else None


@_test
def _refused(case: ExceptionCase, standing: Standing) -> Facts | None:
    """Our books have it and no money is gone: refused, or reversed."""
    return standing.facts() if standing.request is not None and not standing.booked else None


@_test
def _never_came(case: ExceptionCase, standing: Standing) -> Facts | None:
    """Nothing is stored under its key, and it can no longer be on its way."""
    waited = timezone.now() - case.opened_at
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


def _kind(case: ExceptionCase) -> str:
    return case.subject.rpartition(":")[2]


def _neighbours(ours: date, theirs: Any, number: Any) -> Facts | None:
    if not theirs or abs((ours - date.fromisoformat(str(theirs))).days) != 1:
        return None
    return {"ours": ours.isoformat(), "theirs": str(theirs), "transaction": number}
