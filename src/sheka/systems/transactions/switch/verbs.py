"""What a message asks the switch to do (S4): its verb by type and processing code, and the original that it names."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from enum import IntEnum
from typing import TYPE_CHECKING

from sheka.foundation.iso8583.dictionary import kinds
from sheka.foundation.refusals import Code, Refused

if TYPE_CHECKING:
    from sheka.systems.transactions.switch.registry import RegisteredTerminal
    from sheka.systems.transactions.switch.requests import Request


class Verb(IntEnum):
    """What the switch does for a message."""

    PURCHASE = 1
    REVERSAL = 2
    BALANCE = 3
    NETWORK = 4
    ADVICE = 5
    PRE_AUTHORISATION = 6
    COMPLETION = 7
    VOID = 8
    REFUND = 9
    UPLOAD = 10
    SETTLEMENT = 11


KINDS = {
    Verb.PURCHASE: 1,
    Verb.ADVICE: 1,
    Verb.REVERSAL: 2,
    Verb.PRE_AUTHORISATION: 3,
    Verb.COMPLETION: 4,
    Verb.VOID: 5,
    Verb.REFUND: 6,
}
"""The kind of the row that a verb writes."""
MONEY = frozenset(KINDS) - {Verb.REVERSAL}
FOLLOWS = frozenset({Verb.COMPLETION, Verb.VOID, Verb.REFUND})
"""Verbs about an original that field 90 names."""
BATCH = frozenset({Verb.UPLOAD, Verb.SETTLEMENT})
CREDITS = frozenset({Verb.VOID, Verb.REFUND})
"""Verbs that no card is barred from: money goes back, or a hold ends."""


def _verb(kind: str, code: str) -> Verb:
    if kind[1] != "1" and kind[1] != "2":
        return {"3": Verb.UPLOAD, "4": Verb.REVERSAL, "5": Verb.SETTLEMENT, "8": Verb.NETWORK}[kind[1]]
    told = kind[2] == "2"
    if code.startswith("20"):
        return Verb.REFUND if told else Verb.VOID
    plain = {"00": Verb.ADVICE if told else Verb.PURCHASE, "31": Verb.BALANCE}
    return plain.get(code) or {"0006": Verb.COMPLETION, "0306": Verb.PRE_AUTHORISATION}[code]


#: (type, processing) → verb, the fields it needs, what it is called.
SERVED = {key: (_verb(*key), frozenset(kind.fields), kind.name) for key, kind in kinds().items()}
#: (type, processing) of a booked request → its kind: what a reversal reverses.
ORIGINALS = {key: KINDS[verb] for key, (verb, _, _) in SERVED.items() if verb in KINDS and verb is not Verb.REVERSAL}
TYPES = frozenset(kind for kind, _ in ORIGINALS)
TOTALS = (74, 75, 76, 77, 86, 87, 88, 89)
"""Credits, credits reversed, debits, debits reversed: their numbers, then their sums."""
_OTHER_TERMINAL = re.compile(r"(?:^|;)OT=([0-9]{12})(?:;|$)", re.ASCII)


def name_reversed(request: Request, processing: str) -> None:
    """Field 90 of a reversal: type 4 ‖ STAN 6 ‖ transmission time 10 ‖ acquirer 11 ‖ forwarder 11. Fields 3, 13 and 41
    are those of the original. Raises Refused: ORIGINAL_INVALID, REPLACEMENT_INVALID.
    """
    original = str(request.fields[90])
    kind = ORIGINALS.get((original[:4], processing))
    if kind is None:
        raise Refused(Code.ORIGINAL_INVALID)
    request.stan = int(original[4:10])
    request.original_kind = kind
    replacement = str(request.fields.get(95, ""))[:12]
    if replacement and not (replacement.isascii() and replacement.isdigit()):
        raise Refused(Code.REPLACEMENT_INVALID, field=95)
    request.kept = int(replacement or 0)


def name_original(
    request: Request,
    day_of: Callable[[str], date],
    find: Callable[[str], RegisteredTerminal | None],
) -> None:
    """Field 90 of a completion, void or refund: type, STAN, and the local date of the original in front of the time;
    its terminal is the own one, or the one that field 48 names (OT= and 12 digits), of the same institution.

    Raises Refused: ORIGINAL_INVALID, BUSINESS_DATE_OUT_OF_RANGE.
    """
    original = str(request.fields[90])
    if original[:4] not in TYPES:
        raise Refused(Code.ORIGINAL_INVALID)
    terminal: RegisteredTerminal | None = request.terminal
    named = _OTHER_TERMINAL.search(str(request.fields.get(48, "")))
    if named is not None:
        terminal = find(named[1])
    if terminal is None or terminal.institution_id != request.terminal.institution_id:
        raise Refused(Code.ORIGINAL_INVALID)
    request.original_terminal = terminal.id
    request.original_stan = int(original[4:10])
    request.original_date = day_of(original[10:14])


def name_line(request: Request, day_of: Callable[[str], date]) -> date:
    """Field 90 of an uploaded line names what it is about; its type says whether that is a reversal. Its date.

    Raises Refused: ORIGINAL_INVALID, BUSINESS_DATE_OUT_OF_RANGE.
    """
    original = str(request.fields[90])
    if original[:4] not in TYPES and original[:2] != "04":
        raise Refused(Code.ORIGINAL_INVALID)
    request.original_stan = int(original[4:10])
    found = request.original_date = day_of(original[10:14])
    request.original_kind = 2 if original[:2] == "04" else 1
    return found
