"""A till on the public library pyiso8583 (docs/systems/client.md): every verb, keys, PIN, retries; none of our code.

till = Till(lambda: socket.create_connection((host, port), timeout=10), "460100900001", "P46010000001T",
            Keys("sm4", transport_key), Path("till.json"))
till.keys.take_mac(starting_key)        # what the bureau gave out: the form of field 48
till.sign_on(); till.change_keys()
till.pay("D2143569X", 1250)
"""

from __future__ import annotations

import json
import secrets
import socket
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import iso8583
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import CBC, ECB

CHINA = timezone(timedelta(hours=8))
Fields = dict[str, str]
FIXED = {3: 6, 4: 12, 7: 10, 11: 6, 12: 6, 13: 4, 14: 4, 15: 4, 18: 4, 19: 3, 22: 3, 23: 3, 25: 2, 26: 2, 37: 12, 38: 6}
FIXED |= {39: 2, 41: 12, 42: 15, 43: 40, 49: 3, 53: 16, 66: 1, 70: 3, 90: 42, 95: 42}
FIXED |= dict.fromkeys((74, 75, 76, 77), 10) | dict.fromkeys((86, 87, 88, 89), 16)
SHORT = {2: 19, 32: 11, 33: 11, 35: 37, 44: 25, 100: 11, 102: 28, 103: 28}
"""Two digits of length in front."""
LONG = {48: 512, 54: 120, 57: 20, 60: 3, 61: 32, 62: 9, 63: 4}
"""Three digits of length in front."""
BINARY = {52: (0, 8), 55: (3, 255), 59: (0, 16), 64: (0, 8), 128: (0, 8)}
"""Digits of length in front, bytes; pyiso8583 takes and gives them as hex."""
TOTALS = ("74", "75", "76", "77", "86", "87", "88", "89")
ECHOED = ("3", "4", "7", "11", "13", "37", "41", "42", "49", "62", "70")
NOT_SIGNED_ON, NOT_TAKEN, UNKNOWN = "77", "91", "96"


def _spec() -> dict[str, dict[str, object]]:
    def one(encoding: str, prefix: int, most: int) -> dict[str, object]:
        return {"data_enc": encoding, "len_enc": "ascii", "len_type": prefix, "max_len": most, "desc": ""}

    found = {"h": one("ascii", 0, 0), "t": one("ascii", 0, 4), "p": one("b", 0, 8), "1": one("b", 0, 8)}
    for prefix, table in ((0, FIXED), (2, SHORT), (3, LONG)):
        found |= {str(number): one("ascii", prefix, most) for number, most in table.items()}
    found |= {str(number): one("b", prefix, most) for number, (prefix, most) in BINARY.items()}
    unused = {str(number): one("ascii", 0, 0) for number in range(2, 129)}
    return unused | found


SPEC = _spec()


class Keys:
    """The till's side of the keys. `profile` "sm4" or "3des"; `transport_key` 16 bytes, joined from its components."""

    def __init__(self, profile: str, transport_key: bytes) -> None:
        self.sm4 = profile == "sm4"
        self._transport, self._mac, self._pin = transport_key, b"", b""

    def take_mac(self, given: str) -> None:
        """Field 48 of the answer to 0800/161, or a starting key that the bureau gave out."""
        self._mac = self._opened(given)

    def take_pin(self, given: str) -> None:
        self._pin = self._opened(given)

    def mac(self, message: bytes) -> bytes:
        """The 4 bytes over everything before field 64 or 128.

        >>> keys = Keys("sm4", bytes(16))
        >>> keys._mac = bytes(range(16))
        >>> keys.mac(b"0800").hex()
        '9adec0aa'
        """
        block = 16 if self.sm4 else 8
        padded = message + b"\x80" + bytes(-(len(message) + 1) % block)
        if self.sm4:
            return _encrypt(SM4(self._mac), CBC(bytes(16)), padded)[-16:-12]
        first = _encrypt(_des(self._mac[:8]), CBC(bytes(8)), padded)[-8:]
        middle = Cipher(_des(self._mac[8:]), ECB()).decryptor().update(first)  # noqa: S305 - one block
        return _encrypt(_des(self._mac[:8]), ECB(), middle)[:4]  # noqa: S305

    def pin_block(self, pin: str, card_number: str) -> tuple[str, str]:
        """("59", hex) under SM4, ("52", hex) under 3DES."""
        account = f"{int(card_number[:8], 36) % 10**12:012d}"
        if not self.sm4:
            plain = _xor(bytes.fromhex(f"0{len(pin):X}{pin}".ljust(16, "F")), bytes.fromhex(f"0000{account}"))
            return "52", self._under(self._pin, plain).hex().upper()
        plain = bytes.fromhex(f"4{len(pin):X}{pin}".ljust(16, "A")) + secrets.token_bytes(8)
        bound = _xor(self._under(self._pin, plain), bytes.fromhex(f"0{account}".ljust(32, "0")))
        return "59", self._under(self._pin, bound).hex().upper()

    def check_value(self, key: bytes) -> str:
        """What people compare: the first bytes of a zero block under the key.

        >>> Keys("3des", bytes(16)).check_value(bytes.fromhex("0123456789abcdeffedcba9876543210"))
        '08D7B4'
        """
        size, length = (16, 4) if self.sm4 else (8, 3)
        return self._under(key, bytes(size))[:length].hex().upper()

    def _under(self, key: bytes, plain: bytes) -> bytes:
        return _encrypt(SM4(key) if self.sm4 else TripleDES(key + key[:8]), ECB(), plain)  # noqa: S305 - keys

    def _opened(self, given: str) -> bytes:
        wrapped, told = bytes.fromhex(given[:32]), given[32:].upper()
        kind = SM4(self._transport) if self.sm4 else TripleDES(self._transport + self._transport[:8])
        key = Cipher(kind, ECB()).decryptor().update(wrapped)  # noqa: S305 - as the interface has it
        if self.check_value(key) != told:
            raise ValueError("this is no key under our transport key")
        return key


class Till:
    """One terminal. What is sent is in the journal before it is sent, and leaves it when its outcome is known."""

    def __init__(
        self, connect: Callable[[], socket.socket], number: str, institution: str, keys: Keys, journal: Path
    ) -> None:
        self._connect, self.keys, self._journal = connect, keys, journal
        self._names = {"41": number, "42": institution.ljust(15)}
        self._line: socket.socket | None = None
        kept = json.loads(journal.read_text()) if journal.exists() else {"stan": 0, "open": []}
        self._stan: int = kept["stan"]
        self._open: list[Fields] = kept["open"]

    # the line

    def sign_on(self) -> Fields:
        return self.ask("0800", {**self._head("7", "11"), "70": "001"})

    def change_keys(self) -> None:
        """New working keys, daily: the PIN key first, so that its answer still has the MAC of the key that we know."""
        for digit, take in (("1", self.keys.take_pin), ("2", self.keys.take_mac)):
            answer = self.ask("0800", {**self._head("7", "11"), "53": digit.ljust(16, "0"), "70": "161"})
            take(answer["48"])

    # what a till asks for: each answers (request, answer); keep the request as long as it may be followed by another

    def balance(self, card: str) -> int:
        """What is available, in fen."""
        fields = {**self._head("7", "11", "12", "13", "19", "37"), "3": "310000", "60": "310", "62": card}
        return int(self.ask("0200", fields)["54"][-12:])

    def pay(self, card: str, fen: int, more: Fields | None = None) -> tuple[Fields, Fields | None]:
        """A purchase; `more`: fields 22, 55, 57, 52 or 59. Answer None: not known, so it was taken back."""
        return self.safely("0200", {**self._money("000000", card, fen), **(more or {})})

    def hold(self, card: str, fen: int) -> tuple[Fields, Fields | None]:
        return self.safely("0100", {**self._money("030000", card, fen), "25": "06"})

    def complete(self, held: Fields, fen: int) -> tuple[Fields, Fields | None]:
        fields = {**self._money("000000", held["62"], fen), "25": "06", "90": _followed(held)}
        return self.safely("0200", fields)

    def void(self, original: Fields) -> tuple[Fields, Fields | None]:
        """Take back whole while its settlement day is open."""
        fields = {**self._money("200000", original["62"], int(original["4"])), "90": _followed(original)}
        held = original["t"] == "0100"
        return self.safely("0100" if held else "0200", fields | ({"25": "06"} if held else {}))

    def refund(self, original: Fields, fen: int) -> tuple[Fields, Fields | None]:
        return self.safely("0220", {**self._money("200000", original["62"], fen), "90": _followed(original)})

    def safely(self, kind: str, fields: Fields) -> tuple[Fields, Fields | None]:
        """Send what moves money. Without an answer that proves itself it is reversed until the reversal is answered."""
        fields = {"t": kind, **fields}
        self._keep(fields)
        try:
            answer = self._asked_again(kind, fields)
        except (OSError, ValueError):
            answer = None
        if answer is None or answer["39"] == UNKNOWN:
            self._undo(fields)
            return fields, None
        self._done(fields)
        return fields, answer

    def forward(self) -> int:
        """After a crash or a cut line: take back all whose outcome is not known; how many are left."""
        for fields in list(self._open):
            self._undo(fields)
        return len(self._open)

    def reverse(self, original: Fields, repeat: bool = False) -> Fields:
        """00: taken back, or nothing had been taken. 25: it never came and never will be accepted."""
        fields = {name: value for name, value in original.items() if name not in ("t", "48", "52", "55", "59")}
        named = original["t"] + original["11"] + original["7"] + "0" * 22
        return self.ask("0421" if repeat else "0420", {**fields, "90": named})

    # the batch of a settlement day (field 15 of the answers, MMDD)

    def settle(self, day: str, totals: list[int], after_upload: bool = False) -> Fields:
        """Numbers then sums of credits, credits reversed, debits, debits reversed. 66: 1 in balance, 2 not."""
        sizes = (10,) * 4 + (16,) * 4
        sums = {name: f"{total:0{size}d}" for name, total, size in zip(TOTALS, totals, sizes, strict=True)}
        processing = "960000" if after_upload else "920000"
        return self.ask("0500", {**self._head("7", "11", "13"), "3": processing, "15": day, **sums})

    def upload(self, day: str, about: Fields, fen: int, reversal: bool = False) -> Fields:
        """One line: `about` moved so much (a pre-authorisation moves nothing); `reversal`: its reversal did."""
        named = ("0400" if reversal else about["t"]) + about["11"] + about["13"] + about["7"][4:] + "0" * 22
        fields = {**self._head("7", "11", "13"), "3": about["3"], "4": f"{fen:012d}", "15": day, "62": about["62"]}
        return self.ask("0320", {**fields, "90": named, **({"25": about["25"]} if "25" in about else {})})

    # a message

    def ask(self, kind: str, fields: Fields) -> Fields:
        """Send and wait. Raises OSError without an answer, ValueError for one that does not prove itself."""
        last = "128" if any(int(name) > 64 for name in fields if name.isdigit()) else "64"
        encoded, _ = iso8583.encode({**fields, "t": kind, last: "00" * 8}, SPEC)
        signed = bytes(encoded[:-8])
        message = signed + self.keys.mac(signed) + bytes(4)
        try:
            line = self._line = self._line or self._connect()
            line.sendall(len(message).to_bytes(2, "big") + message)
            while not _answers(answer := self._answer(), kind, fields):
                pass  # a late answer to another message, or a recorded one: ours still comes, or the line falls silent
        except OSError:
            self.hang_up()
            raise
        return answer

    def _answer(self) -> Fields:
        """The next answer that proves itself."""
        received = self._read(int.from_bytes(self._read(2), "big"))
        if self.keys.mac(received[:-8]) + bytes(4) != received[-8:]:
            self.hang_up()
            answer, _ = iso8583.decode(received, SPEC)
            raise ValueError(f"unproven answer 39={answer.get('39')} 63={answer.get('63')}")
        return dict(iso8583.decode(received, SPEC)[0])

    def hang_up(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None

    def _asked_again(self, kind: str, fields: Fields) -> Fields:
        """What was not taken for now is sent again as it is; when that does not help, it was not taken."""
        for pause in range(4):
            answer = self.ask(kind, fields)
            if answer["39"] == NOT_SIGNED_ON:
                self.sign_on()
            elif answer["39"] == NOT_TAKEN:
                time.sleep(pause)
            else:
                break
        return answer

    def _undo(self, fields: Fields) -> None:
        for attempt in range(5):
            try:
                if self.reverse(fields, repeat=attempt > 0)["39"] in ("00", "25"):
                    self._done(fields)
                    return
            except (OSError, ValueError):
                continue

    def _head(self, *wanted: str) -> Fields:
        now = datetime.now(CHINA)
        self._stan = self._stan % 999_999 + 1
        found = {
            "7": f"{now:%m%d%H%M%S}",
            "11": f"{self._stan:06d}",
            "12": f"{now:%H%M%S}",
            "13": f"{now:%m%d}",
            "19": "156",
            "37": f"{now:%y%j}{self._stan:07d}",
        }
        return {name: found[name] for name in wanted} | self._names

    def _money(self, processing: str, card: str, fen: int) -> Fields:
        head = self._head("7", "11", "12", "13", "19", "37")
        return {**head, "3": processing, "4": f"{fen:012d}", "49": "156", "60": "310", "62": card}

    def _keep(self, fields: Fields) -> None:
        self._open.append(fields)
        self._write()

    def _done(self, fields: Fields) -> None:
        self._open.remove(fields)
        self._write()

    def _write(self) -> None:
        """Whole or not at all: a till that loses its journal cannot know what it owes."""
        draft = self._journal.with_suffix(".new")
        draft.write_text(json.dumps({"stan": self._stan, "open": self._open}))
        draft.replace(self._journal)

    def _read(self, size: int) -> bytes:
        held = b""
        while self._line is not None and len(held) < size:
            piece = self._line.recv(size - len(held))
            if not piece:
                raise ConnectionError("the line ended")
            held += piece
        return held


def _answers(answer: Fields, kind: str, fields: Fields) -> bool:
    """Whether it is the answer to this message: a right MAC alone says only that the switch once said it."""
    same = all(answer.get(name, fields[name]) == fields[name] for name in ECHOED if name in fields)
    return answer["t"] == f"{kind[:2]}{int(kind[2]) + 1}0" and "11" in answer and same


def _followed(original: Fields) -> str:
    """Field 90 of what follows an original: its business date stands in front of its time."""
    return original["t"] + original["11"] + original["13"] + original["7"][4:] + "0" * 22


def _des(key: bytes) -> TripleDES:
    return TripleDES(key * 3)


def _encrypt(kind: SM4 | TripleDES, mode: CBC | ECB, plain: bytes) -> bytes:
    return Cipher(kind, mode).encryptor().update(plain)


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))
