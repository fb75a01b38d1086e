"""Store and forward at the terminal (S4, S10): what must reach the switch stands on the disk before it is sent, and
stays there until it is answered for good.

Each message has its own time of the next try, so one that is never answered holds up none of the others. What is
older than `keep_for` is reported and kept among the expired: nothing is dropped. Plain Python, one SQLite file.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from sheka.foundation.refusals import Code, Refused
from sheka.systems.transactions.terminal import Answer, Asked, Purchase, Terminal

UNSURE = frozenset(
    code.value
    for code in (
        Code.SWITCH_BUSY,
        Code.SWITCH_OUTCOME_UNKNOWN,
        Code.BLOCK_LIST_NOT_KNOWN,
        Code.MACHINE_OUT_OF_PRODUCTION,
        Code.MESSAGE_MAC_INVALID,
    )
)
"""Refusal numbers after which it is not certain that nothing was taken, or that nothing will be."""
AGAIN = UNSURE | {
    code.value
    for code in (Code.LINE_NOT_SIGNED_ON, Code.PROOF_NOT_KNOWN, Code.BUSINESS_DATE_OUT_OF_RANGE)  # a clock may be off
}
"""Refusal numbers after which what must reach the switch is sent again; every other answer is for good."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 300.0
_TABLE = """
CREATE TABLE IF NOT EXISTS queue (
    id      INTEGER PRIMARY KEY,
    way     TEXT NOT NULL,
    request TEXT NOT NULL,
    kept    INTEGER NOT NULL,
    since   REAL NOT NULL,
    due     REAL NOT NULL,
    tries   INTEGER NOT NULL DEFAULT 0,
    state   TEXT NOT NULL DEFAULT 'waiting',
    code    TEXT NOT NULL DEFAULT '',
    refusal INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS queue_due ON queue (due) WHERE state IN ('asked', 'waiting');
"""


@dataclass(frozen=True, slots=True)
class Queued:
    """A message of the queue. `way`: request (sent under its own type) or reversal; `state`: asked (sent, its outcome
    is not known), waiting, answered, expired; `kept`: what a partial reversal leaves, in fen; `code` and `refusal`:
    fields 39 and 63 of the last answer.
    """

    id: int
    way: str
    request: Purchase
    kept: int
    since: float
    due: float
    tries: int
    state: str
    code: str
    refusal: int


class TerminalQueue:
    """The queue in `path`. `clock` gives seconds; `keep_for` seconds after which a message is expired."""

    def __init__(self, path: Path, *, keep_for: float = 3 * 86_400, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._keep_for = keep_for
        self._clock = clock
        with self._file() as file:
            file.executescript(_TABLE)

    def pay(self, terminal: Terminal, card_number: str, amount: int) -> Answer | None:
        """A purchase that is on the disk before it is sent. None: no answer came, and its reversal is in the queue."""
        request = terminal.new_purchase(card_number, amount)
        number = self._add("request", request, state="asked")
        try:
            answer = terminal.send_purchase(request)
        except Refused:
            terminal.close()
            self._turn_to_reversal(number)
            return None
        if answer.refusal in UNSURE:
            self._turn_to_reversal(number)
            return None
        self._end(number, answer)
        return answer

    def put(self, request: Purchase) -> int:
        """Something that was done without the switch: an advice, a refund."""
        return self._add("request", request)

    def put_reversal(self, request: Purchase, *, kept: int = 0) -> int:
        """A reversal that must reach the switch."""
        return self._add("reversal", request, kept=kept)

    def recover(self) -> int:
        """After a crash: what was sent and has no known outcome is reversed. Returns how many."""
        with self._file() as file:
            return file.execute(
                "UPDATE queue SET way = 'reversal', state = 'waiting', tries = 0, due = ? WHERE state = 'asked'",
                (self._clock(),),
            ).rowcount

    def forward(self, terminal: Terminal) -> list[Queued]:
        """Send what is due; each that is not answered for good waits for its own next time. Returns what expired."""
        expired = self._expire()
        for one in self._read("state = 'waiting' AND due <= ? ORDER BY due", self._clock()):
            try:
                answer = _send(terminal, one)
                if answer.refusal == Code.LINE_NOT_SIGNED_ON.value:
                    terminal.sign_on()
                    answer = _send(terminal, one)
            except Refused as refusal:
                terminal.close()
                self._later(one)
                if refusal.code is Code.SWITCH_UNREACHABLE:
                    break  # nobody answers there: the others keep their own times
                continue
            if answer.refusal in AGAIN:
                self._later(one)
            else:
                self._end(one.id, answer)
        return expired

    def waiting(self) -> list[Queued]:
        """What is still to be answered, the next due first."""
        return self._read("state IN ('asked', 'waiting') ORDER BY due")

    def expired(self) -> list[Queued]:
        """What was never answered in time: to be settled with the office by hand."""
        return self._read("state = 'expired' ORDER BY id")

    def require_none_expired(self) -> None:
        """Raises Refused(QUEUED_MESSAGE_EXPIRED), naming the first: a terminal says so before it goes on."""
        for one in self.expired():
            raise Refused(Code.QUEUED_MESSAGE_EXPIRED, stan=f"{one.request.stan:06d}")

    def find(self, number: int) -> Queued:
        """One message, whatever became of it."""
        return self._read("id = ?", number)[0]

    def _add(self, way: str, request: Purchase, *, kept: int = 0, state: str = "waiting") -> int:
        now = self._clock()
        with self._file() as file:
            added = file.execute(
                "INSERT INTO queue (way, request, kept, since, due, state) VALUES (?, ?, ?, ?, ?, ?)",
                (way, _text(request), kept, now, now, state),
            )
            return int(added.lastrowid or 0)

    def _turn_to_reversal(self, number: int) -> None:
        with self._file() as file:
            file.execute("UPDATE queue SET way = 'reversal', state = 'waiting' WHERE id = ?", (number,))

    def _end(self, number: int, answer: Answer) -> None:
        with self._file() as file:
            file.execute(
                "UPDATE queue SET state = 'answered', code = ?, refusal = ? WHERE id = ?",
                (answer.response_code, answer.refusal, number),
            )

    def _later(self, one: Queued) -> None:
        pause = min(FIRST_PAUSE * 2 ** min(one.tries, 16), LONGEST_PAUSE)
        with self._file() as file:
            file.execute("UPDATE queue SET tries = tries + 1, due = ? WHERE id = ?", (self._clock() + pause, one.id))

    def _expire(self) -> list[Queued]:
        found = self._read("state IN ('asked', 'waiting') AND since < ?", self._clock() - self._keep_for)
        with self._file() as file:
            file.executemany("UPDATE queue SET state = 'expired' WHERE id = ?", [(one.id,) for one in found])
        return [self.find(one.id) for one in found]

    def _read(self, where: str, *values: object) -> list[Queued]:
        columns = "id, way, request, kept, since, due, tries, state, code, refusal"
        with self._file() as file:
            rows = file.execute(f"SELECT {columns} FROM queue WHERE {where}", values).fetchall()  # noqa: S608
        return [Queued(row[0], row[1], _request(row[2]), *row[3:]) for row in rows]

    def _file(self) -> AbstractContextManager[sqlite3.Connection]:
        """A connection for one transaction, on the disk when it ends."""
        connection = sqlite3.connect(self._path, isolation_level=None)
        connection.execute("PRAGMA synchronous = FULL")
        return closing(connection)


def _send(terminal: Terminal, one: Queued) -> Answer:
    if one.way == "reversal":
        return terminal.reversal(one.request, repeat=one.tries > 0, advice=True, kept=one.kept)
    return terminal.send_purchase(one.request, repeat=one.tries > 0)


def _text(request: Purchase) -> str:
    return json.dumps(asdict(request), default=_plain)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Asked):
        return value.name
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(type(value).__name__)


def _request(text: str) -> Purchase:
    return _of(json.loads(text))


def _of(row: dict[str, object]) -> Purchase:
    original, chip = row["original"], row["chip_data"]
    made = {
        **row,
        "at": datetime.fromisoformat(str(row["at"])),
        "asked": Asked[str(row["asked"])],
        "chip_data": None if chip is None else bytes.fromhex(str(chip)),
        "original": _of(original) if isinstance(original, dict) else None,
    }
    return Purchase(**made)  # type: ignore[arg-type]
