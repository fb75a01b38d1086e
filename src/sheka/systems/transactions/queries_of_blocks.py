"""Reading the block list, and what the switch saw of PSAMs (S4, C1, K8)."""

from __future__ import annotations

from datetime import date

from django.db.models import Q, QuerySet

from sheka.foundation.refusals import Code, Refused
from sheka.office.organisations.queries import organisations_below
from sheka.office.staff.actors import Actor
from sheka.systems.transactions.models import Block, BlockKind, PsamAlarm, PsamUse, TerminalPsam

CARD_BODY = 8


def blocks_in_reach(actor: Actor) -> QuerySet[Block]:
    """Every entry of the actor's organisation and those below it, lifted ones too, the latest first."""
    return Block.objects.filter(organisation__in=organisations_below(actor)).select_related("organisation")


def block_numbered(actor: Actor, number: int) -> Block:
    """Raises Refused(BLOCK_UNKNOWN)."""
    found = blocks_in_reach(actor).filter(pk=number).first()
    if found is None:
        raise Refused(Code.BLOCK_UNKNOWN, number=number)
    return found


def blocks_on_card(card_number: str, key_versions: tuple[str, ...] = ()) -> list[Block]:
    """What bars a card here: its number, a range that it lies in, a version of a key that it carries."""
    rows = Block.objects.filter(lifted_at=None).filter(
        Q(kind=BlockKind.CARD, subject=card_number)
        | Q(kind=BlockKind.CARD_RANGE)
        | Q(kind=BlockKind.KEY_VERSION, subject__in=key_versions)
    )
    body = card_number[:CARD_BODY]
    return [row for row in rows if row.kind != BlockKind.CARD_RANGE or _lies_in(body, row.subject)]


def blocks_on_psam(psam: str) -> list[Block]:
    """What bars a PSAM here."""
    return list(Block.objects.filter(kind=BlockKind.PSAM, subject=psam, lifted_at=None))


def uses_of(psam: str, *, since: date | None = None) -> QuerySet[PsamUse]:
    """What the switch saw of a PSAM, by day and terminal, the earliest first."""
    rows = PsamUse.objects.filter(psam=psam).select_related("terminal__institution")
    if since is not None:
        rows = rows.filter(day__gte=since)
    return rows.order_by("day", "terminal_id")


def last_uses(psams: list[str]) -> dict[str, PsamUse]:
    """The last use of each PSAM that was ever used."""
    rows = PsamUse.objects.filter(psam__in=psams).order_by("psam", "-seen_at").distinct("psam")
    return {row.psam: row for row in rows.select_related("terminal__institution")}


def alarms_of(psam: str) -> QuerySet[PsamAlarm]:
    """What was wrong with it, the latest first."""
    return PsamAlarm.objects.filter(psam=psam).select_related("terminal").order_by("-seen_at")


def terminal_of(psam: str) -> TerminalPsam | None:
    """Where a PSAM is bound."""
    return TerminalPsam.objects.filter(psam=psam).select_related("terminal__institution").first()


def _lies_in(body: str, subject: str) -> bool:
    first, _, last = subject.partition("-")
    return first[:CARD_BODY] <= body <= last[:CARD_BODY]
