"""Freezing what is affected and setting follow-ups going: each in a savepoint, none silently dropped (K9)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.incidents.desk import keeper
from sheka.office.incidents.freezing import Freezing, follow_up_named, freezer_of
from sheka.office.incidents.models import Affected, FollowUp, Incident
from sheka.office.incidents.plans import PlanContent, rule, things
from sheka.office.incidents.states import AFFECTED
from sheka.office.incidents.timeline import write

log = logging.getLogger("sheka.incidents")
LONGEST = 400


def stop_by_plan(incident: Incident, rows: list[Affected]) -> None:
    """Freeze those of the affected things that the plan freezes, and begin its follow-ups for each."""
    plan = PlanContent.of(incident.plan)
    for row in rows:
        if row.sort in plan.freezes:
            freeze(incident, row)
    for row in rows:
        for name in plan.follow_ups:
            known = follow_up_named(name)
            if known is None or known.concerns(row.sort):
                begin(incident, FollowUp(incident=incident, name=name, subject=row.subject))


def freeze(incident: Incident, row: Affected) -> bool:
    """Try to freeze one thing; what came of it stands on the row and in the timeline. Raises Refused(STATE_FORBIDS)."""
    after, failed = AFFECTED.after(row.state, "freeze"), AFFECTED.after(row.state, "fail")

    def run() -> str:
        return _verb(row, "freeze")(keeper(incident), row.name, incident.number)

    answer, failure = _tried(run)
    earlier, row.tries = row.failure, row.tries + 1
    row.state, row.answer, row.failure = (failed, "", failure) if failure else (after, answer, "")
    row.next_try_at = _next_try() if failure else None
    row.frozen_at = None if failure else timezone.now()
    row.save()
    if failure != earlier or not failure:  # the same failure again is counted on the row, not told again
        write(
            keeper(incident), incident, "freeze_failed" if failure else "frozen", f"{row.subject}: {failure or answer}"
        )
    return not failure


def thaw(incident: Incident, row: Affected) -> str:
    """Let one thing go again; what its system says. Raises Refused: INCIDENT_NOT_THAWED with the reason."""

    def run() -> str:
        return _verb(row, "thaw")(keeper(incident), row.name, incident.number)

    answer, failure = _tried(run)
    if failure:
        zh, _break, en = failure.partition("\n")
        raise Refused(Code.INCIDENT_NOT_THAWED, subject=row.subject, reason=Term(zh, en or zh))
    return answer


def begin(incident: Incident, row: FollowUp) -> bool:
    """Try to set one follow-up going."""
    known = follow_up_named(row.name)

    def run() -> str:
        if known is None:
            raise Refused(Code.INCIDENT_NO_FREEZER, thing=Term(row.name, row.name))
        return known.run(keeper(incident), row.subject, incident.number)

    answer, failure = _tried(run)
    earlier, row.tries = row.failure, row.tries + 1
    row.state, row.answer, row.failure = ("failed", "", failure) if failure else ("begun", answer, "")
    row.next_try_at = _next_try() if failure else None
    row.save()
    if failure != earlier or not failure:
        verb = "follow_up_failed" if failure else "follow_up"
        write(keeper(incident), incident, verb, _of(row.subject, failure or answer))
    return not failure


def _verb(row: Affected, name: str) -> Freezing:
    """Raises Refused(INCIDENT_NO_FREEZER) where no system of this node keeps such things."""
    freezer = freezer_of(row.sort)
    verb: Freezing | None = getattr(freezer, name) if freezer else None
    if verb is None:
        raise Refused(Code.INCIDENT_NO_FREEZER, thing=things().get(row.sort, Term(row.sort, row.sort)))
    return verb


def _tried(run: Callable[[], str]) -> tuple[str, str]:
    """(answer, "") or ("", why not: a line of Chinese and one of English). Whatever a system raises undoes its own part
    and nothing else.
    """
    try:
        with transaction.atomic():
            return str(run())[:LONGEST], ""
    except Refused as refusal:
        both = (f"{refusal.number} {refusal.text(language)}"[: LONGEST // 2 - 1] for language in ("zh-Hans", "en"))
        return "", "\n".join(both)
    except Exception as error:
        log.exception("a system could not do what an incident asks")
        return "", type(error).__name__


def _of(subject: str, text: str) -> str:
    """What is said of a thing, in one line or in two, each with its number."""
    return "\n".join(f"{subject}: {line}" for line in text.splitlines() or [""])


def _next_try() -> datetime:
    return timezone.now() + timedelta(minutes=rule("retry_minutes"))
