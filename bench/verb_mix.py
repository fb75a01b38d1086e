"""A mixture of every verb of the switch (S4, S10), as prepared messages: for the fault runs and the mixed figure of the
switch bench.

A terminal lives through scenes: a purchase that is taken back and asked about again, a pre-authorisation that is
completed and then reversed, a reversal that comes before its original. What a scene asks for does not depend on the
answers, because whatever follows an original names its key; so messages and their MACs are made beforehand.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sheka.foundation.iso8583 import Value, encode, mac_field
from sheka.systems.transactions.terminal_messages import Asked, Purchase

AMOUNT = 100
BALANCE, REVERSAL = 0, 2
KINDS = {
    Asked.PURCHASE: 1,
    Asked.PURCHASE_ADVICE: 1,
    Asked.PRE_AUTHORISATION: 3,
    Asked.COMPLETION: 4,
    Asked.COMPLETION_ADVICE: 4,
    Asked.VOID: 5,
    Asked.VOID_OF_PRE_AUTHORISATION: 5,
    Asked.REFUND: 6,
}
"""The kind of the row that a request writes; an inquiry (0) writes none, a reversal (2) has its original's key."""
Key = tuple[int, int, int]
"""Terminal, STAN, kind."""


@dataclass(frozen=True, slots=True)
class Step:
    """One message of a scene. `asked` None: a reversal of the step `about`, or an inquiry when that is None too;
    `again`: the very step `about` once more, as its repeat.
    """

    asked: Asked | None
    about: int | None = None
    amount: int = AMOUNT
    again: bool = False


_BUY, _HOLD = Step(Asked.PURCHASE), Step(Asked.PRE_AUTHORISATION, amount=3 * AMOUNT)
LATE_ORIGINAL = "reversal before its original"
SCENES: dict[str, tuple[int, tuple[Step, ...]]] = {
    "purchase": (30, (_BUY,)),
    "purchase, asked again": (4, (_BUY, Step(None, 0, again=True))),
    "balance": (8, (Step(None),)),
    "reversal and its repeat": (9, (_BUY, Step(None, 0), Step(None, 1, again=True))),
    LATE_ORIGINAL: (3, (Step(None, 1), _BUY)),
    "completion": (8, (_HOLD, Step(Asked.COMPLETION, 0, 2 * AMOUNT))),
    "completion told afterwards": (4, (_HOLD, Step(Asked.COMPLETION_ADVICE, 0, 3 * AMOUNT))),
    "completion reversed": (3, (_HOLD, Step(Asked.COMPLETION, 0, 2 * AMOUNT), Step(None, 1))),
    "completion voided": (3, (_HOLD, Step(Asked.COMPLETION, 0, AMOUNT), Step(Asked.VOID, 1, AMOUNT))),
    "hold voided": (4, (_HOLD, Step(Asked.VOID_OF_PRE_AUTHORISATION, 0, 3 * AMOUNT))),
    "hold reversed": (3, (_HOLD, Step(None, 0))),
    "void": (5, (_BUY, Step(Asked.VOID, 0))),
    "void reversed": (2, (_BUY, Step(Asked.VOID, 0), Step(None, 1))),
    "refund in two parts": (5, (_BUY, Step(Asked.REFUND, 0, 40), Step(Asked.REFUND, 0, 60))),
    "refund reversed": (2, (_BUY, Step(Asked.REFUND, 0, 40), Step(None, 1))),
    "advice": (5, (Step(Asked.PURCHASE_ADVICE),)),
    "advice reversed": (2, (Step(Asked.PURCHASE_ADVICE), Step(None, 0))),
}
"""Scene → how often in a hundred, and its steps."""


@dataclass(frozen=True, slots=True)
class Message:
    """One request as a till keeps it. `repeat`: the same as its repeat (0201, 0421 …); `about`: the key of what it
    takes back, completes, voids or refunds; `undo`: the reversal that a till sends instead of asking again.
    """

    terminal: int
    stan: int
    kind: int
    card: str
    amount: int
    encoded: bytes
    repeat: bytes
    about: Key | None = None
    undo: Message | None = None

    @property
    def key(self) -> Key:
        return self.terminal, self.stan, self.kind


@dataclass(frozen=True, slots=True)
class Draft:
    """A message before its MACs are known: both forms without the last eight bytes."""

    terminal: int
    stan: int
    kind: int
    card: str
    amount: int
    about: Key | None
    forms: tuple[bytes, bytes]
    undo: Draft | None = None


class Terminals:
    """Makes the messages of the terminals of one institution. `macs` computes the 4-byte MACs of many messages."""

    def __init__(self, city: str, institution: str, at: datetime, macs: Callable[[list[bytes]], list[bytes]]) -> None:
        self._city = city
        self._institution = institution.ljust(15)
        self._at = at
        self._macs = macs

    def scene(self, terminal: int, stan: int, card: str, steps: tuple[Step, ...], *, undo: bool = False) -> list[Draft]:
        """The messages of a scene, its STANs from `stan` on; `undo`: with the reversals of its requests."""
        asked: dict[int, Purchase] = {}
        for place, step in enumerate(steps):
            if step.asked is not None:
                original = asked.get(step.about) if step.about is not None else None
                number = f"{self._city}{terminal:06d}"
                asked[place] = Purchase(
                    stan + place, card, step.amount, self._at, asked=step.asked, original=original, terminal=number
                )
        drafts: list[Draft] = []
        for place, step in enumerate(steps):
            if step.again:
                drafts.append(drafts[step.about or 0])
            elif step.asked is not None:
                drafts.append(self._request(terminal, asked[place], undo))
            elif step.about is not None:
                drafts.append(self._reversal(terminal, asked[step.about]))
            else:
                drafts.append(self._inquiry(terminal, stan + place, card))
        return drafts

    def signed(self, drafts: list[Draft]) -> list[Message]:
        """The messages with their MACs, computed by the encryption machine."""
        unsigned = list(dict.fromkeys(form for draft in drafts for form in _forms(draft)))
        macs = dict(zip(unsigned, self._macs(unsigned), strict=True))
        return [self._finished(draft, macs) for draft in drafts]

    def _finished(self, draft: Draft, macs: dict[bytes, bytes]) -> Message:
        encoded, repeat = (form + macs[form] + bytes(4) for form in draft.forms)
        undo = None if draft.undo is None else self._finished(draft.undo, macs)
        place = (draft.terminal, draft.stan, draft.kind, draft.card, draft.amount)
        return Message(*place, encoded, repeat, draft.about, undo)

    def _request(self, terminal: int, asked: Purchase, undo: bool) -> Draft:
        original = asked.original
        about = None if original is None else (terminal, original.stan, KINDS[original.asked])
        fields = {**self._head(terminal, asked.stan), **asked.fields(asked.terminal)}
        taken_back = self._reversal(terminal, asked) if undo else None
        return self._draft(terminal, asked, KINDS[asked.asked], asked.asked.type, fields, about, taken_back)

    def _reversal(self, terminal: int, asked: Purchase) -> Draft:
        fields = {**self._head(terminal, asked.stan), **asked.fields(asked.terminal), 90: asked.named()}
        kind = "0400" if asked.stan % 2 else "0420"
        return self._draft(terminal, asked, REVERSAL, kind, fields, (terminal, asked.stan, KINDS[asked.asked]), None)

    def _draft(
        self,
        terminal: int,
        asked: Purchase,
        kind: int,
        message: str,
        fields: dict[int, Value],
        about: Key | None,
        undo: Draft | None,
    ) -> Draft:
        forms = (_unsigned(message, fields), _unsigned(f"{message[:3]}1", fields))
        return Draft(terminal, asked.stan, kind, asked.card_number, asked.amount, about, forms, undo)

    def _inquiry(self, terminal: int, stan: int, card: str) -> Draft:
        form = _unsigned("0200", {**self._head(terminal, stan), 3: "310000", 60: "310", 62: card})
        return Draft(terminal, stan, BALANCE, card, 0, None, (form, form))

    def _head(self, terminal: int, stan: int) -> dict[int, Value]:
        at = self._at
        return {
            7: f"{at:%m%d%H%M%S}",
            11: f"{stan:06d}",
            12: f"{at:%H%M%S}",
            13: f"{at:%m%d}",
            19: "156",
            37: f"{terminal:06d}{stan:06d}",
            41: f"{self._city}{terminal:06d}",
            42: self._institution,
        }


def scenes(chance: random.Random, *, late_originals: bool = True) -> Iterator[tuple[Step, ...]]:
    """Scenes for ever, each as often as SCENES says."""
    names = [name for name in SCENES if late_originals or name != LATE_ORIGINAL]
    weights = [SCENES[name][0] for name in names]
    while True:
        for name in chance.choices(names, weights, k=200):
            yield SCENES[name][1]


def _forms(draft: Draft) -> Iterator[bytes]:
    yield from draft.forms
    if draft.undo is not None:
        yield from draft.undo.forms


def _unsigned(kind: str, fields: dict[int, Value]) -> bytes:
    return encode(kind, {**fields, mac_field(fields): bytes(8)})[:-8]


class Ledger:
    """What the answers say that each card's account must hold: change of the balance and of what is held, in fen.

    Answers are told in the order in which a till got them; whatever follows an original comes from the same till.
    """

    def __init__(self) -> None:
        self.moved: dict[str, int] = {}
        self.held: dict[str, int] = {}
        self._approved: dict[Key, Message] = {}
        self._holds: dict[Key, int] = {}

    def approved(self, message: Message) -> None:
        """The switch said 00 to this."""
        if message.key in self._approved:
            return
        self._approved[message.key] = message
        original = None if message.about is None else self._approved.get(message.about)
        if message.kind == REVERSAL:
            if original is not None:
                self._back(original, again=original.kind == 5)
        elif message.kind == 5 and original is not None:
            self._back(original)
        else:
            self._do(message)

    def _do(self, message: Message) -> None:
        if message.kind == 3:
            self._hold(message, message.key, message.amount)
        elif message.kind == 4 and message.about is not None:
            self._move(message, -message.amount)
            self._hold(message, message.about, 0)
        elif message.kind in (1, 6):
            self._move(message, message.amount if message.kind == 6 else -message.amount)

    def _back(self, original: Message, *, again: bool = False) -> None:
        """Undo the original; `again`: it is a void, so what it had voided is done once more."""
        if again:
            voided = None if original.about is None else self._approved.get(original.about)
            if voided is not None:
                self._do(voided)
            return
        if original.kind == 3:
            self._hold(original, original.key, 0)
        elif original.kind == 4 and original.about is not None:
            self._move(original, original.amount)
            self._hold(original, original.about, original.amount)
        else:
            self._move(original, original.amount if original.kind == 1 else -original.amount)

    def _move(self, message: Message, amount: int) -> None:
        self.moved[message.card] = self.moved.get(message.card, 0) + amount

    def _hold(self, message: Message, key: Key, amount: int) -> None:
        before = self._holds.get(key, 0)
        self._holds[key] = amount
        self.held[message.card] = self.held.get(message.card, 0) + amount - before
