"""A client that knows nothing of our code talks to the switch (S4): messages by the public library pyiso8583, fields as
docs/systems/transactions.md describes them, a socket, and the MAC of the institution.
"""

from __future__ import annotations

import socket
from datetime import datetime

import iso8583
import pytest
from tests.support.payments import HOSPITAL, ZONE

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("S4")]
#: Number → (digits of length in front, greatest or fixed length); "b" fields apart. As in the documentation.
TEXT = {
    3: (0, 6),
    4: (0, 12),
    7: (0, 10),
    11: (0, 6),
    12: (0, 6),
    13: (0, 4),
    15: (0, 4),
    19: (0, 3),
    25: (0, 2),
    37: (0, 12),
    38: (0, 6),
    39: (0, 2),
    41: (0, 12),
    42: (0, 15),
    44: (2, 25),
    49: (0, 3),
    54: (3, 120),
    60: (3, 3),
    62: (3, 9),
    63: (3, 4),
    70: (0, 3),
    90: (0, 42),
}
BINARY = (64, 128)


def spec() -> dict[str, dict[str, object]]:
    ascii_ = {"data_enc": "ascii", "len_enc": "ascii", "desc": ""}
    bits = {"data_enc": "b", "len_enc": "ascii", "len_type": 0, "max_len": 8, "desc": ""}
    made: dict[str, dict[str, object]] = {
        "h": {**ascii_, "len_type": 0, "max_len": 0},
        "t": {**ascii_, "len_type": 0, "max_len": 4},
        "p": bits,
        "1": bits,
    }
    for number in range(2, 129):
        prefix, length = TEXT.get(number, (0, 0))
        made[str(number)] = bits if number in BINARY else {**ascii_, "len_type": prefix, "max_len": length}
    return made


SPEC = spec()


class Peer:
    """A terminal of another house."""

    def __init__(self, switch, mac, card: str) -> None:
        self.line = socket.create_connection((switch.host, switch.port), timeout=10)
        self.mac = mac
        self.card = card
        self.stan = 0
        self.now = datetime.now(ZONE)

    def head(self) -> dict[str, str]:
        self.stan += 1
        return {
            "7": f"{self.now:%m%d%H%M%S}",
            "11": f"{self.stan:06d}",
            "41": "460100000001",
            "42": HOSPITAL.ljust(15),
        }

    def money(self, processing: str, amount: int) -> dict[str, str]:
        return {
            **self.head(),
            "3": processing,
            "4": f"{amount:012d}",
            "12": f"{self.now:%H%M%S}",
            "13": f"{self.now:%m%d}",
            "19": "156",
            "37": f"{self.stan:012d}",
            "49": "156",
            "60": "310",
            "62": self.card,
        }

    def original(self, kind: str, request: dict[str, str]) -> str:
        return kind + request["11"] + request["7"] + "0" * 22

    def ask(self, kind: str, fields: dict[str, str]) -> dict[str, str]:
        last = "128" if any(int(number) > 64 for number in fields) else "64"
        encoded, _ = iso8583.encode({"t": kind, **fields, last: "00" * 8}, SPEC)
        signed = bytes(encoded[:-8])
        message = signed + self.mac(signed) + bytes(4)
        self.line.sendall(len(message).to_bytes(2) + message)
        size = int.from_bytes(self.read(2))
        received = self.read(size)
        assert self.mac(received[:-8]) == received[-8:-4]
        answer, _ = iso8583.decode(received, SPEC)
        assert answer["t"] == f"{kind[:2]}{int(kind[2]) + 1}0"
        return answer

    def read(self, size: int) -> bytes:
        held = b""
        while len(held) < size:
            held += self.line.recv(size - len(held))
        return held


def test_a_client_of_another_house_signs_on_pays_asks_reverses_and_completes(switch, bank):
    peer = Peer(switch, bank.mac, bank.cards[0].number)
    assert peer.ask("0800", {**peer.head(), "70": "001"})["39"] == "00"
    bought = peer.money("000000", 12_345)
    answer = peer.ask("0200", bought)
    assert (answer["39"], answer["54"][-12:], len(answer["38"])) == ("00", "000000087655", 6)
    assert peer.ask("0201", bought) == answer
    asked = {number: value for number, value in peer.money("310000", 0).items() if number not in ("4", "49")}
    assert peer.ask("0200", asked)["54"] == "0002156C000000087655"
    assert peer.ask("0400", {**bought, "90": peer.original("0200", bought)})["54"][-12:] == "000000100000"
    held = {**peer.money("030000", 60_000), "25": "06"}
    assert peer.ask("0100", held)["54"][-12:] == "000000040000"
    done = {**peer.money("000000", 25_000), "25": "06", "90": peer.original("0100", held)}
    assert peer.ask("0200", done)["54"][-12:] == "000000075000"
    too_late = {**peer.money("200000", 60_000), "25": "06", "90": peer.original("0100", held)}
    answer = peer.ask("0100", too_late)
    assert (answer["39"], answer["63"]) == ("22", "4474")
    peer.line.close()
    assert bank.balance() == 75_000
    bank.assert_ledger_holds()
