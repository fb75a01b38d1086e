"""The terminal's side of the switch (S4): ISO 8583 over TCP, for institutions' software, the story, tests and the
bench.

Plain Python. A terminal that gets no valid answer does not know what became of its purchase: it reverses, and
repeats the reversal until it is answered (`purchase_safely` does that).
"""

from __future__ import annotations

import hmac
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from zoneinfo import ZoneInfo

from sheka.foundation.iso8583 import Message, Value, carries_mac, decode, encode, mac_field
from sheka.foundation.iso8583.chip_data import PSAM_SEQUENCE, pack
from sheka.foundation.iso8583.framing import HEADER_BYTES, MAXIMUM_BYTES, frame
from sheka.foundation.refusals import Code, Refused
from sheka.systems.transactions.terminal_messages import Asked, Purchase, Totals

__all__ = ["Answer", "Asked", "Purchase", "Terminal", "Totals"]
ZONE = ZoneInfo("Asia/Shanghai")
EMPTY_MAC = bytes(8)
ECHOED = (3, 4, 7, 11, 13, 37, 41, 42, 49, 62, 70)
"""What an answer has as the request had it."""
MacOf = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the switch said. `refusal` is the refusal number, 0 when approved; `balance`: what is available, in fen;
    `totals`: the switch's own, of a batch; `sent` and `received` are the encoded messages.
    """

    response_code: str
    refusal: int
    balance: int | None
    authorisation: str | None
    settlement_day: str | None
    differs: str | None
    sent: bytes = field(repr=False)
    received: bytes = field(repr=False)
    totals: Totals | None = None

    @property
    def approved(self) -> bool:
        return self.response_code == "00"


class Terminal:
    """One terminal with its own line.

    `mac` computes the 4-byte command MAC of a message under the institution's key. `psam` is the serial of the PSAM in
    the terminal, if it has one, and `psam_sequence` its next terminal transaction sequence. `connect` makes the line
    where it is not plain TCP (`line_client.secure_line`).
    """

    def __init__(
        self,
        host: str,
        port: int,
        terminal_number: str,
        institution: str,
        mac: MacOf,
        *,
        country: str = "156",
        timeout: float = 10.0,
        first_stan: int = 1,
        clock: Callable[[], datetime] = lambda: datetime.now(ZONE),
        psam: str = "",
        psam_sequence: int = 1,
        connect: Callable[[], socket.socket] | None = None,
    ) -> None:
        self._address = (host, port)
        self._number = terminal_number
        self._institution = institution.ljust(15)
        self._mac = mac
        self._country = country
        self._timeout = timeout
        self._stan = first_stan
        self._clock = clock
        self._psam = psam
        self._psam_sequence = psam_sequence
        self._connect = connect
        self._socket: socket.socket | None = None

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def new_purchase(self, card_number: str, amount: int, *, currency: str = "156", scheme: str = "310") -> Purchase:
        """A purchase with the next STAN, not sent yet."""
        return self.new_request(Asked.PURCHASE, card_number, amount, currency=currency, scheme=scheme)

    def new_request(
        self,
        asked: Asked,
        card_number: str,
        amount: int,
        *,
        original: Purchase | None = None,
        currency: str = "156",
        scheme: str = "310",
    ) -> Purchase:
        """A request with the next STAN, not sent yet; `original`: what it completes, voids or refunds."""
        chip = None
        if self._psam:
            chip = pack([(PSAM_SEQUENCE, self._psam_sequence.to_bytes(4))])
            self._psam_sequence += 1
        stan, at = self._next_stan(), self._clock()
        return Purchase(stan, card_number, amount, at, currency, scheme, chip, asked, original, self._number)

    def purchase(self, card_number: str, amount: int, *, currency: str = "156", scheme: str = "310") -> Answer:
        """Pay `amount` fen from the card's personal account.

        Raises Refused: SWITCH_OUTCOME_UNKNOWN when no valid answer came in time, SWITCH_UNREACHABLE when nothing was
        sent.
        """
        return self.send_purchase(self.new_purchase(card_number, amount, currency=currency, scheme=scheme))

    def send_purchase(self, purchase: Purchase, *, repeat: bool = False) -> Answer:
        """Send a purchase or another request, or the very same again."""
        kind = purchase.asked.type
        return self._ask(f"{kind[:3]}1" if repeat else kind, self._purchase_fields(purchase))

    def pre_authorise(self, card_number: str, amount: int, *, scheme: str = "310") -> tuple[Purchase, Answer]:
        """Hold `amount` fen; complete or void what is answered first."""
        asked = self.new_request(Asked.PRE_AUTHORISATION, card_number, amount, scheme=scheme)
        return asked, self.send_purchase(asked)

    def complete(self, held: Purchase, amount: int, *, advice: bool = False) -> tuple[Purchase, Answer]:
        """Take at most what is held, once; the rest is released. `advice`: it was done already."""
        asked = Asked.COMPLETION_ADVICE if advice else Asked.COMPLETION
        return self._follow(asked, held, amount)

    def void(self, original: Purchase) -> tuple[Purchase, Answer]:
        """Take a purchase, completion, refund or pre-authorisation back whole, while its day is open."""
        of_held = original.asked is Asked.PRE_AUTHORISATION
        return self._follow(Asked.VOID_OF_PRE_AUTHORISATION if of_held else Asked.VOID, original, original.amount)

    def refund(self, original: Purchase, amount: int) -> tuple[Purchase, Answer]:
        """Give back all or a part of a purchase or completion, whenever it was settled."""
        return self._follow(Asked.REFUND, original, amount)

    def advise(self, card_number: str, amount: int, *, scheme: str = "310") -> tuple[Purchase, Answer]:
        """Tell of a purchase that was approved without the switch."""
        asked = self.new_request(Asked.PURCHASE_ADVICE, card_number, amount, scheme=scheme)
        return asked, self.send_purchase(asked)

    def reversal(self, purchase: Purchase, *, repeat: bool = False, advice: bool = False, kept: int = 0) -> Answer:
        """Take a request back, all but `kept` fen. "25" means that it was never seen and never will be accepted:
        nothing was taken.
        """
        kind = f"04{'2' if advice else '0'}{'1' if repeat else '0'}"
        fields = self._purchase_fields(purchase)
        fields.pop(48, None)
        fields[90] = purchase.named()
        if kept:
            fields[95] = f"{kept:012d}".ljust(42, "0")
        return self._ask(kind, fields)

    def settle(
        self,
        day: str,
        totals: Totals,
        *,
        after_upload: bool = False,
        sent: tuple[int, datetime] | None = None,
        repeat: bool = False,
    ) -> Answer:
        """Compare the batch of a settlement day (MMDD, field 15 of the answers); after an upload line by line.

        `sent`: STAN and time that were kept for it; `repeat`: it may have come before.
        """
        processing = "960000" if after_upload else "920000"
        kind = "0501" if repeat else "0500"
        return self._ask(kind, {**self._batch_head(day, sent), 3: processing, **totals.fields()})

    def upload(
        self,
        day: str,
        about: Purchase,
        amount: int,
        *,
        reversal: bool = False,
        sent: tuple[int, datetime] | None = None,
        repeat: bool = False,
    ) -> Answer:
        """One line of the batch: that this moved `amount` fen; `reversal`: its reversal did. `sent`, `repeat`: as of a
        settlement.
        """
        _, processing, condition = about.asked.value
        fields = {**self._batch_head(day, sent), 3: processing, 4: f"{amount:012d}", 62: about.card_number}
        fields[90] = about.named("0400" if reversal else "")
        return self._ask("0321" if repeat else "0320", fields | ({25: condition} if condition else {}))

    def purchase_safely(self, card_number: str, amount: int, *, attempts: int = 5) -> Answer | None:
        """Pay; when the outcome is unknown, reverse until that is answered and return None: then nothing is taken.

        Raises Refused(SWITCH_OUTCOME_UNKNOWN) when no reversal was answered either.
        """
        purchase = self.new_purchase(card_number, amount)
        try:
            answer = self.send_purchase(purchase)
            if answer.refusal != Code.SWITCH_OUTCOME_UNKNOWN.value:
                return answer
        except Refused:
            self.close()
        for attempt in range(attempts):
            try:
                if self.reversal(purchase, repeat=attempt > 0, advice=True).response_code in ("00", "25"):
                    return None
            except Refused:
                self.close()
        raise Refused(Code.SWITCH_OUTCOME_UNKNOWN)

    def balance(self, card_number: str, *, scheme: str = "310") -> Answer:
        """Ask for the balance of the personal account."""
        now = self._clock()
        fields: dict[int, Value] = {**self._head(now, self._next_stan()), 3: "310000", 60: scheme, 62: card_number}
        return self._ask("0200", fields)

    def sign_on(self) -> Answer:
        """Network management 001: the line and the key are right."""
        return self._network("001")

    def sign_off(self) -> Answer:
        """Network management 002: nothing more comes from the institution over this line until it signs on."""
        return self._network("002")

    def key_exchange(self, purpose: str) -> str:
        """Network management 161: a new key under the transport key, "1" PIN or "2" MAC; field 48 of the answer.

        Raises Refused(SWITCH_ANSWER_INVALID) when it was refused.
        """
        answer = self._network("161", {53: purpose.ljust(16, "0")})
        given = decode(answer.received).fields.get(48)
        if not isinstance(given, str):
            raise Refused(Code.SWITCH_ANSWER_INVALID, reason=f"39={answer.response_code} 63={answer.refusal}")
        return given

    def next_is(self, stan: int) -> None:
        """The STAN of the next request that is not kept anywhere yet."""
        self._stan = stan

    def use_mac(self, mac: MacOf) -> None:
        """From the next message on: the key that was given out."""
        self._mac = mac

    def echo(self) -> Answer:
        """Network management 301: is anybody there."""
        return self._network("301")

    def encoded(self, kind: str, fields: dict[int, Value]) -> bytes:
        """A message with its MAC, without the length header."""
        unsigned = encode(kind, {**fields, mac_field(fields): EMPTY_MAC})[:-8]
        return unsigned + self._mac(unsigned) + bytes(4)

    def exchange(self, message: bytes) -> bytes:
        """Send an encoded message and wait for an answer, whatever it is."""
        line = self._line()
        try:
            line.sendall(frame(message))
            size = int.from_bytes(self._receive(line, HEADER_BYTES))
            if size > MAXIMUM_BYTES:
                raise Refused(Code.SWITCH_ANSWER_INVALID, reason=f"{size} bytes")
            return self._receive(line, size)
        except (OSError, EOFError):
            self.close()
            raise Refused(Code.SWITCH_OUTCOME_UNKNOWN) from None

    def _purchase_fields(self, purchase: Purchase) -> dict[int, Value]:
        fields = {**self._head(purchase.at, purchase.stan), **purchase.fields(self._number)}
        if self._psam:
            fields[57] = self._psam
        return fields

    def _follow(self, asked: Asked, original: Purchase, amount: int) -> tuple[Purchase, Answer]:
        card, scheme = original.card_number, original.scheme
        request = self.new_request(asked, card, amount, original=original, currency=original.currency, scheme=scheme)
        return request, self.send_purchase(request)

    def _batch_head(self, day: str, sent: tuple[int, datetime] | None = None) -> dict[int, Value]:
        stan, at = sent or (self._next_stan(), self._clock())
        head = self._head(at, stan)
        return {number: head[number] for number in (7, 11, 13, 41, 42)} | {15: day}

    def _head(self, at: datetime, stan: int) -> dict[int, Value]:
        return {
            7: f"{at:%m%d%H%M%S}",
            11: f"{stan:06d}",
            12: f"{at:%H%M%S}",
            13: f"{at:%m%d}",
            19: self._country,
            37: f"{at:%y%j}{stan:07d}"[:12].rjust(12, "0"),
            41: self._number,
            42: self._institution,
        }

    def _network(self, code: str, more: Mapping[int, Value] | None = None) -> Answer:
        head = self._head(self._clock(), self._next_stan())
        return self._ask("0800", {**{number: head[number] for number in (7, 11, 41, 42)}, 70: code, **(more or {})})

    def _ask(self, kind: str, fields: dict[int, Value]) -> Answer:
        sent = self.encoded(kind, fields)
        while True:
            received = self.exchange(sent)
            message = self._proven(received)
            if _answers(message, kind, fields):
                return _answer(message, sent, received)

    def _proven(self, received: bytes) -> Message:
        """The answer decoded, when its MAC is right. An answer without a MAC proves nothing.

        Raises Refused(SWITCH_ANSWER_INVALID).
        """
        try:
            message = decode(received)
        except Refused as error:
            self.close()
            raise Refused(Code.SWITCH_ANSWER_INVALID, reason=str(error)) from None
        if not carries_mac(received):
            self.close()
            code = f"39={message.fields.get(39)} 63={message.fields.get(63)}"
            raise Refused(Code.SWITCH_ANSWER_INVALID, reason=f"no MAC, {code}")
        if not hmac.compare_digest(self._mac(received[:-8]), received[-8:-4]):
            self.close()
            raise Refused(Code.SWITCH_ANSWER_INVALID, reason="MAC")
        return message

    def _line(self) -> socket.socket:
        if self._socket is None:
            if self._connect is not None:
                self._socket = self._connect()
                return self._socket
            try:
                self._socket = socket.create_connection(self._address, timeout=self._timeout)
            except OSError:
                raise Refused(Code.SWITCH_UNREACHABLE, address=":".join(map(str, self._address))) from None
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._socket

    def _next_stan(self) -> int:
        stan = self._stan
        self._stan = stan % 999_999 + 1
        return stan

    @staticmethod
    def _receive(line: socket.socket, size: int) -> bytes:
        held = b""
        while len(held) < size:
            piece = line.recv(size - len(held))
            if not piece:
                raise EOFError
            held += piece
        return held


def _answers(message: Message, kind: str, fields: Mapping[int, Value]) -> bool:
    """Whether this is the answer to that: a recorded one, or a late one to another message, has a right MAC too."""
    same = all(message.fields.get(number, fields[number]) == fields[number] for number in ECHOED if number in fields)
    return message.type == f"{kind[:2]}{int(kind[2]) + 1}0" and 11 in message.fields and same


def _answer(message: Message, sent: bytes, received: bytes) -> Answer:
    fields = message.fields

    def text(number: int) -> str | None:
        value = fields.get(number)
        return value if isinstance(value, str) else None

    held = text(54)
    return Answer(
        response_code=text(39) or "",
        refusal=int(text(63) or 0),
        balance=None if held is None else int(held[8:20]),
        authorisation=text(38),
        settlement_day=text(15),
        differs=text(44),
        sent=sent,
        received=received,
        totals=Totals.of(fields),
    )
