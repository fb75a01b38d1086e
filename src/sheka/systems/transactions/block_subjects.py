"""What an entry of the block list names, and how each kind is written (S4, K8)."""

from __future__ import annotations

import re

from sheka.foundation.numbers import CardNumber, TerminalNumber
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.staff.actors import Actor
from sheka.systems.transactions.models import BlockKind, Terminal

TITLES = {
    BlockKind.PSAM: Term("PSAM卡", "PSAM"),
    BlockKind.TERMINAL: Term("终端", "terminal"),
    BlockKind.CARD: Term("卡片", "card"),
    BlockKind.CARD_RANGE: Term("卡号段", "range of cards"),
    BlockKind.KEY_VERSION: Term("密钥版本", "key version"),
}
_EXPECTED = {
    BlockKind.PSAM: Term("PSAM卡序列号", "the serial of a PSAM"),
    BlockKind.CARD_RANGE: Term("“起始卡号-终止卡号”", "two card numbers, first-last"),
    BlockKind.KEY_VERSION: Term("“密钥名/版本”，如DTK/1", "name/version, as DTK/1"),
}
_SERIAL = re.compile(r"[0-9A-Z][0-9A-Z-]{2,19}")
_KEY = re.compile(r"[A-Z][A-Za-z0-9]{1,11}/[1-9]")


def subject_of(actor: Actor, kind: str, text: str) -> str:
    """The subject as it is kept, from what was written.

    A terminal must be one that the actor reaches; the PSAM of somebody else, or cards of another place, may be barred
    here: whoever finds a stolen one does not own it.
    Raises Refused: BLOCK_SUBJECT_INVALID, TERMINAL_UNKNOWN, ORGANISATION_OUT_OF_REACH, and what is wrong with a number.
    """
    wanted = BlockKind(kind)
    said = text.strip()
    if wanted is BlockKind.TERMINAL:
        number = TerminalNumber.parse(said).text
        found = Terminal.objects.filter(number=number).select_related("institution").first()
        if found is None:
            raise Refused(Code.TERMINAL_UNKNOWN, terminal=number)
        actor.must_act_for(found.institution.organisation_id)
        return number
    if wanted is BlockKind.CARD:
        return CardNumber.parse(said).text
    if wanted is BlockKind.CARD_RANGE:
        return _range(said)
    said = said.upper() if wanted is BlockKind.PSAM else said
    if not (_SERIAL if wanted is BlockKind.PSAM else _KEY).fullmatch(said):
        raise _invalid(wanted, said)
    return said


def _range(said: str) -> str:
    first, dash, last = (part.strip() for part in said.partition("-"))
    if not dash:
        raise _invalid(BlockKind.CARD_RANGE, said)
    low, high = CardNumber.parse(first).text, CardNumber.parse(last).text
    if low[:8] > high[:8]:
        raise _invalid(BlockKind.CARD_RANGE, said)
    return f"{low}-{high}"


def _invalid(kind: BlockKind, said: str) -> Refused:
    return Refused(Code.BLOCK_SUBJECT_INVALID, subject=said[:40], kind=TITLES[kind], expected=_EXPECTED[kind])
