"""The turns of the transactions: seals and pulse each minute, partitions each hour, the archive at night."""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.jobs.registry import periodic
from sheka.office.staff.actors import Actor
from sheka.systems.transactions.actions.anchor_seals import anchor_seals
from sheka.systems.transactions.actions.archive_day import write_archive
from sheka.systems.transactions.actions.drop_messages import days_to_drop, drop_messages
from sheka.systems.transactions.actions.drop_old_rows import drop_old_rows
from sheka.systems.transactions.actions.keep_line import organisations_to_tell, tell_line_events
from sheka.systems.transactions.actions.make_partitions import make_partitions
from sheka.systems.transactions.actions.roll_pulses import roll_pulses
from sheka.systems.transactions.actions.share_pin_zone import share_pin_zone, zones_wanted
from sheka.systems.transactions.anchors import new_seals
from sheka.systems.transactions.archive import due_days
from sheka.systems.transactions.models import Institution
from sheka.systems.transactions.partitions import missing_ahead, rest_is_empty
from sheka.systems.transactions.retention import OLD_ROWS

MOST_DAYS = 7


@periodic("transactions.anchor", cron="* * * * *")
def anchor() -> None:
    """Nothing new, nothing written."""
    if new_seals():
        anchor_seals(Actor.process("anchor", settings.NODE.organisations[0]))


@periodic("transactions.partitions", cron="7 * * * *")
def partitions() -> None:
    """The coming days have their partition before the first request of a day comes."""
    today = timezone.localdate()
    if missing_ahead(today) or not rest_is_empty():
        make_partitions(Actor.process("partitions", settings.NODE.organisations[0]), today=today)


@periodic("transactions.archive", cron="30 18 * * *")
def archive() -> None:
    """Write what the policy wants archived (02:30 in Beijing), for the organisation whose institutions book here. A day
    that something still holds waits for a later night; none leaves the database by itself. One that cannot be written
    keeps no other from it, and fails the turn at its end.
    """
    keeper = Institution.objects.order_by("pk").values_list("organisation_id", flat=True).first()
    actor = Actor.process("archive", keeper or settings.NODE.organisations[0])
    failed: list[Refused] = []
    for day in due_days(timezone.localdate()):
        try:
            write_archive(actor, day=day)
        except Refused as refusal:
            if refusal.code not in (Code.ARCHIVE_HELD, Code.ARCHIVE_EMPTY_DAY):
                failed.append(refusal)
            if refusal.code is Code.ARCHIVE_DISK_FULL:
                break
    if failed:
        raise failed[0]


@periodic("transactions.pulses", cron="*/10 * * * *")
def pulses() -> None:
    """Seconds become minutes; both go when they are old."""
    roll_pulses(Actor.process("switch", settings.NODE.organisations[0]))


@periodic("transactions.messages", cron="10 19 * * *")
def messages() -> None:
    """Messages older than they are kept go at night, a day at a time: a week of them at most. More than that is due
    only after a long stop, or when the clock is wrong, and then whoever looks in the morning has lost the oldest week.
    """
    for day in days_to_drop(timezone.localdate())[:MOST_DAYS]:
        drop_messages(Actor.process("partitions", settings.NODE.organisations[0]), day=day)


@periodic("transactions.pin_zones", cron="*/5 * * * *")
def pin_zones() -> None:
    """Machines that have to pass PINs to each other get a key between them."""
    for acquirer, issuer in zones_wanted():
        actor = Actor.process("line", settings.NODE.organisations[0])
        share_pin_zone(actor, acquirer=acquirer, issuer=issuer)


@periodic("transactions.old_rows", cron="40 19 * * *")
def old_rows() -> None:
    """Keys given out, requests of partners and offline numbers that are kept no longer go at night, in pieces."""
    actor = Actor.process("partitions", settings.NODE.organisations[0])
    for name in OLD_ROWS:
        while drop_old_rows(actor, of=name, today=timezone.localdate()):
            continue


@periodic("transactions.line", cron="* * * * *")
def line() -> None:
    """Keys given out and terminals locked by the switch come into the audit chain."""
    for code in organisations_to_tell():
        tell_line_events(Actor.process("line", code))
