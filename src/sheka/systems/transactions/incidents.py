"""What an incident stops at the switch: a terminal, a range of cards (K9)."""

from __future__ import annotations

from sheka.office.incidents.freezing import MOST, Thing, freezes
from sheka.office.staff.actors import Actor
from sheka.systems.transactions.actions.blocks import freeze_subject, thaw_subject
from sheka.systems.transactions.models import BlockKind
from sheka.systems.transactions.queries import terminals_in_reach


@freezes("terminal")
class FreezeTerminal:
    """The switch refuses the terminal within seconds."""

    @staticmethod
    def freeze(actor: Actor, subject: str, incident: str) -> str:
        return frozen(actor, BlockKind.TERMINAL, subject, incident)

    @staticmethod
    def thaw(actor: Actor, subject: str, incident: str) -> str:
        return thawed(actor, BlockKind.TERMINAL, subject, incident)

    @staticmethod
    def find(actor: Actor, text: str) -> list[Thing]:
        rows = terminals_in_reach(actor).filter(number__startswith=text)[:MOST]
        return [Thing(row.number, row.institution.name, row.institution.code) for row in rows]


@freezes("card_range")
class FreezeCardRange:
    """The switch refuses every card between two numbers, written first-last."""

    @staticmethod
    def freeze(actor: Actor, subject: str, incident: str) -> str:
        return frozen(actor, BlockKind.CARD_RANGE, subject, incident)

    @staticmethod
    def thaw(actor: Actor, subject: str, incident: str) -> str:
        return thawed(actor, BlockKind.CARD_RANGE, subject, incident)


def frozen(actor: Actor, kind: BlockKind, subject: str, incident: str) -> str:
    """Put the subject of an incident on the block list."""
    row = freeze_subject(
        actor, kind=kind.value, subject=subject, incident=incident, reason=f"安全事件 incident {incident}"
    )
    return f"停用名单第{row.pk}项：{row.subject}。Entry {row.pk} of the block list: {row.subject}."


def thawed(actor: Actor, kind: BlockKind, subject: str, incident: str) -> str:
    """Take what the incident put there off the block list."""
    lifted = thaw_subject(
        actor, kind=kind.value, subject=subject, incident=incident, reason=f"安全事件 incident {incident}"
    )
    return f"已从停用名单解除{lifted}项。{lifted} entries of the block list lifted."
