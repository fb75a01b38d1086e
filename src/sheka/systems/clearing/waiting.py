"""Which work waits for whom because of a clearing day: opened and closed by its actions, before their audit rows."""

from __future__ import annotations

from datetime import date, timedelta

from sheka.foundation.calendar import add_working_days
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.office.work.items import close_work, open_work
from sheka.systems.clearing.models import Day

SEAL, RECONCILE, NET = "clearing.seal", "clearing.reconcile", "clearing.net"


def day_ends(actor: Actor, settlement_date: date) -> None:
    """The day is being sealed."""
    close_work(actor, SEAL, _subject(actor.organisation, settlement_date))


def day_sealed(actor: Actor, day: Day) -> None:
    """The acquirers' files are compared on the next working day; the day after this one is the next to be sealed."""
    settled = day.settlement_date
    following = settled + timedelta(days=1)
    open_work(
        actor,
        kind=SEAL,
        subject=_subject(day.organisation_id, following),
        organisation=day.organisation_id,
        permission=Permission.CLEARING_SEAL,
        title_zh=f"{following.isoformat()} 封账",
        title_en=f"Seal {following.isoformat()}",
        due_on=following,
    )
    _reconcile(actor, day)


def day_to_reconcile(actor: Actor, day: Day) -> None:
    """A file came after the day was reconciled: it is not netted before it is compared."""
    close_work(actor, NET, _subject(day.organisation_id, day.settlement_date))
    _reconcile(actor, day)


def day_reconciled(actor: Actor, day: Day, *, flat: bool) -> None:
    """A flat day is netted; one with differences is reconciled again when its cases are settled."""
    if not flat:
        return
    subject = _subject(day.organisation_id, day.settlement_date)
    close_work(actor, RECONCILE, subject)
    open_work(
        actor,
        kind=NET,
        subject=subject,
        organisation=day.organisation_id,
        permission=Permission.CLEARING_NET,
        title_zh=f"{day.settlement_date.isoformat()} 轧差清算",
        title_en=f"Net {day.settlement_date.isoformat()}",
        due_on=add_working_days(day.settlement_date, 2).day,
    )


def day_netted(actor: Actor, day: Day) -> None:
    """What each institution is owed is known: nothing waits any more."""
    close_work(actor, NET, _subject(day.organisation_id, day.settlement_date))


def _subject(organisation: str, settled: date) -> str:
    return f"day:{organisation}:{settled.isoformat()}"


def _reconcile(actor: Actor, day: Day) -> None:
    settled = day.settlement_date
    open_work(
        actor,
        kind=RECONCILE,
        subject=_subject(day.organisation_id, settled),
        organisation=day.organisation_id,
        permission=Permission.CLEARING_IMPORT,
        title_zh=f"{settled.isoformat()} 导入收单文件并对账",
        title_en=f"Import the files of {settled.isoformat()} and reconcile",
        due_on=add_working_days(settled, 1).day,
    )
