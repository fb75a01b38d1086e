"""Every message that is served × every refusal, over a real TCP connection (S4). Both sides of the table are
generated: from the dictionary and from the response codes, so a new message or a new code without its line here fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from tests.support.payments import HOSPITAL, ZONE, SwitchProcess

from sheka.foundation.iso8583 import decode
from sheka.foundation.iso8583.chip_data import CRYPTOGRAM, SOURCE, pack
from sheka.foundation.iso8583.dictionary import fields as dictionary
from sheka.foundation.refusals import Code, Refused
from sheka.systems.accounts.actions.change_state import freeze_account, release_account
from sheka.systems.cards.models import Card
from sheka.systems.transactions.actions.register_institution import change_institution, change_terminals
from sheka.systems.transactions.models import Transaction, Window
from sheka.systems.transactions.response_codes import RESPONSE_CODES, response_code
from sheka.systems.transactions.switch.verbs import SERVED, Verb
from sheka.systems.transactions.terminal import Asked, Purchase, Terminal, Totals

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("S4")]
HERE = Path(__file__).parent
NUMBER = "460100000001"

MONEY = frozenset({Verb.PURCHASE, Verb.ADVICE, Verb.PRE_AUTHORISATION, Verb.COMPLETION, Verb.VOID, Verb.REFUND})
ASKING = MONEY | {Verb.BALANCE}
NEW = frozenset({Verb.PURCHASE, Verb.ADVICE, Verb.PRE_AUTHORISATION})
DATED = MONEY | {Verb.REVERSAL, Verb.UPLOAD, Verb.SETTLEMENT}
ALL = frozenset(Verb)
#: Code → the verbs that it refuses, whatever their type. A completion that was told afterwards is not asked about its
#: card.
REFUSES: dict[Code, frozenset[Verb]] = {
    Code.TERMINAL_UNKNOWN: ALL,
    Code.FIELD_MISSING: ALL,
    Code.FIELD_INVALID: ALL,
    Code.FIELD_NOT_IN_DICTIONARY: ALL,
    Code.MESSAGE_TOO_LONG: ALL,
    Code.MESSAGE_KIND_UNKNOWN: ALL,
    Code.BUSINESS_DATE_OUT_OF_RANGE: DATED,
    Code.TERMINAL_NOT_ACTIVE: ASKING,
    Code.INSTITUTION_NOT_ACTIVE: ASKING,
    Code.CURRENCY_FOREIGN: MONEY,
    Code.ACQUIRER_FOREIGN: ASKING,
    Code.CARD_NOT_KNOWN_HERE: ASKING,
    Code.CARD_REPORTED_LOST: NEW | {Verb.BALANCE, Verb.COMPLETION},
    Code.CARD_IS_BLOCKED: NEW | {Verb.BALANCE, Verb.COMPLETION},
    Code.CARD_IS_RETIRED: NEW | {Verb.BALANCE, Verb.COMPLETION},
    Code.CARD_NOT_YET_ACTIVE: NEW | {Verb.BALANCE, Verb.COMPLETION},
    Code.CARD_WITHOUT_ACCOUNT: ASKING,
    Code.ACCOUNT_IS_FROZEN: NEW,
    Code.BALANCE_INSUFFICIENT: NEW,
    Code.AMOUNT_NOT_POSITIVE: MONEY,
    Code.TRANSACTION_DIFFERS: MONEY | {Verb.REVERSAL, Verb.UPLOAD, Verb.SETTLEMENT},
    Code.ORIGINAL_INVALID: frozenset({Verb.REVERSAL, Verb.COMPLETION, Verb.VOID, Verb.REFUND, Verb.UPLOAD}),
    Code.SETTLEMENT_DAY_UNKNOWN: frozenset({Verb.UPLOAD, Verb.SETTLEMENT}),
    Code.ORIGINAL_NOT_FOUND: frozenset({Verb.COMPLETION, Verb.VOID, Verb.REFUND, Verb.UPLOAD}),
    Code.MESSAGE_MAC_INVALID: ALL,  # the last: so many lock the terminal
}
CARD_STATES = {
    Code.CARD_REPORTED_LOST: "lost",
    Code.CARD_IS_BLOCKED: "blocked",
    Code.CARD_IS_RETIRED: "cancelled",
    Code.CARD_NOT_YET_ACTIVE: "in_stock",
}
OF_CONTENT = frozenset(code for code, verbs in REFUSES.items() if verbs == ALL) | {Code.BUSINESS_DATE_OUT_OF_RANGE}
"""Refused before anything is looked up: an original need not be there."""
#: Codes of one verb, or that need more than one message; the test that provokes each, in the file named.
SINGLE: dict[Code, str] = {
    **dict.fromkeys(
        (
            Code.ORIGINAL_NOT_APPROVED,
            Code.REVERSAL_AMOUNT,
            Code.BATCH_LINE_DIFFERS,
            Code.BATCH_OUT_OF_BALANCE,
            Code.ORIGINAL_UNKNOWN,
            Code.MESSAGE_TOO_SHORT,
            Code.MESSAGE_TYPE_INVALID,
            Code.SWITCH_BUSY,
            Code.PROOF_NOT_KNOWN,
        ),
        "test_verbs_table.py",
    ),
    **dict.fromkeys(
        (
            Code.TRANSACTION_REVERSED_BEFORE,
            Code.ORIGINAL_OF_ANOTHER_KIND,
            Code.ORIGINAL_OF_ANOTHER_ACCOUNT,
            Code.PRE_AUTHORISATION_COMPLETED,
            Code.PRE_AUTHORISATION_RELEASED,
            Code.COMPLETION_ABOVE_HELD,
            Code.ORIGINAL_FOLLOWED,
            Code.REFUND_ABOVE_ORIGINAL,
            Code.VOID_TOO_LATE,
            Code.REPLACEMENT_INVALID,
        ),
        "test_verbs.py",
    ),
    **dict.fromkeys(
        (Code.LIMIT_AT_ONCE, Code.LIMIT_OF_THE_DAY, Code.LIMIT_OF_NUMBER, Code.LIMIT_OF_A_MINUTE), "test_limits.py"
    ),
}


def elsewhere() -> set[Code]:
    """Codes that another test of this folder provokes and names: of the database, block list, PSAMs, PINs, lines."""
    text = "".join(
        path.read_text("utf-8") for path in HERE.glob("test_*.py") if path.name not in ("test_verbs_table.py",)
    )
    return {code for code in RESPONSE_CODES if f"Code.{code.name}" in text}


def test_every_response_code_is_provoked_by_a_test() -> None:
    assert set(RESPONSE_CODES) - set(REFUSES) - set(SINGLE) - elsewhere() == set()
    for code, name in SINGLE.items():
        assert f"Code.{code.name}" in (HERE / name).read_text("utf-8"), f"{name} does not provoke {code.name}"


class Desk:
    """Makes a good message of any kind: what it follows is booked before, so that only the refusal to be seen stands in
    its way."""

    def __init__(self, terminal: Terminal, card: str) -> None:
        self.books = True
        self.terminal = terminal
        self.card = card
        self.day = f"{Window.objects.get(closed_at=None).settlement_date:%m%d}"

    def message(self, kind: str, code: str) -> dict[int, str | bytes]:
        """The fields of a message of this type and processing; it would be approved."""
        terminal, verb = self.terminal, SERVED[kind, code][0]
        if verb is Verb.NETWORK:
            head = terminal._head(datetime.now(ZONE), terminal._next_stan())
            return {number: head[number] for number in (7, 11, 41, 42)} | {70: "301"}
        if verb is Verb.SETTLEMENT:
            return {**terminal._batch_head(self.day), 3: f"{code}0000", **Totals().fields()}
        if verb is Verb.BALANCE:
            head = terminal._head(datetime.now(ZONE), terminal._next_stan())
            return {**head, 3: "310000", 60: "310", 62: self.card}
        if verb is Verb.UPLOAD:
            about = self.booked(kind, code)
            fields = {**terminal._batch_head(self.day), 3: f"{code[:2]}0000", 4: f"{about.amount:012d}"}
            return fields | {62: self.card, 90: about.named()} | ({25: "06"} if len(code) == 4 else {})
        if verb is Verb.REVERSAL:
            about = self.booked(kind, code)
            return {**terminal._purchase_fields(about), 90: about.named()}
        asked = _asked(kind, code)
        return terminal._purchase_fields(terminal.new_request(asked, self.card, 100, original=self.original(asked)))

    def booked(self, kind: str, code: str) -> Purchase:
        """A request of this processing that is booked."""
        source = {"0306": "0100", "2006": "0200"}.get(code, "0200")
        asked = _asked(source, code)
        request = self.terminal.new_request(asked, self.card, 100, original=self.original(asked))
        assert not self.books or self.terminal.send_purchase(request).approved, (kind, code)
        return request

    def original(self, asked: Asked) -> Purchase | None:
        needed = {
            Asked.COMPLETION: Asked.PRE_AUTHORISATION,
            Asked.COMPLETION_ADVICE: Asked.PRE_AUTHORISATION,
            Asked.VOID: Asked.PURCHASE,
            Asked.REFUND: Asked.PURCHASE,
            Asked.VOID_OF_PRE_AUTHORISATION: Asked.PRE_AUTHORISATION,
        }.get(asked)
        if needed is None:
            return None
        request = self.terminal.new_request(needed, self.card, 100)
        assert not self.books or self.terminal.send_purchase(request).approved
        return request

    def say(self, kind: str, fields: dict[int, str | bytes]) -> dict[int, str | bytes]:
        return decode(self.terminal.exchange(self.terminal.encoded(kind, fields))).fields


def _asked(kind: str, code: str) -> Asked:
    told = kind[2] == "2"
    return {
        ("2", "00"): Asked.PURCHASE_ADVICE if told else Asked.PURCHASE,
        ("2", "0006"): Asked.COMPLETION_ADVICE if told else Asked.COMPLETION,
        ("1", "0306"): Asked.PRE_AUTHORISATION,
        ("2", "20"): Asked.REFUND if told else Asked.VOID,
        ("2", "2006"): Asked.VOID,
        ("1", "2006"): Asked.VOID_OF_PRE_AUTHORISATION,
    }[kind[1], code]


@pytest.fixture
def desk(terminal, bank) -> Desk:
    bank.pay_in(100_000_000, bank.accounts[0])
    return Desk(terminal, bank.cards[0].number)


@contextmanager
def _world(code: Code, bank) -> Iterator[None]:
    """The world in which everything of the table is refused with this code."""
    if code is Code.TERMINAL_NOT_ACTIVE:
        change_terminals(bank.actor, numbers=[NUMBER], verb="suspend", reason="test")
        yield
        change_terminals(bank.actor, numbers=[NUMBER], verb="resume")
    elif code is Code.INSTITUTION_NOT_ACTIVE:
        change_institution(bank.actor, code=HOSPITAL, verb="suspend", reason="test")
        yield
        change_institution(bank.actor, code=HOSPITAL, verb="resume")
    elif code in CARD_STATES:
        Card.objects.filter(pk=bank.cards[0].pk).update(state=CARD_STATES[code])
        yield
        Card.objects.filter(pk=bank.cards[0].pk).update(state="active")
    elif code is Code.ACCOUNT_IS_FROZEN:
        freeze_account(bank.actor, number=bank.accounts[0].number, reason="court order")
        yield
        release_account(bank.actor, number=bank.accounts[0].number, reason="court order lifted")
    else:
        yield


Fields = dict[int, str | bytes]
#: Code → what is changed in a good message.
CHANGES: dict[Code, Callable[[Fields, Verb], Fields]] = {
    Code.TERMINAL_UNKNOWN: lambda fields, verb: fields | {41: "460100999999"},
    Code.MESSAGE_KIND_UNKNOWN: lambda fields, verb: fields | {3: "770000"},
    Code.BUSINESS_DATE_OUT_OF_RANGE: lambda fields, verb: fields | {13: f"{_in_days(-60):%m%d}"},
    Code.CURRENCY_FOREIGN: lambda fields, verb: fields | {49: "840"},
    Code.ACQUIRER_FOREIGN: lambda fields, verb: fields | {19: "840"},
    Code.CARD_NOT_KNOWN_HERE: lambda fields, verb: fields | {62: "X00000019"},
    Code.CARD_WITHOUT_ACCOUNT: lambda fields, verb: fields | {60: "390"},
    Code.BALANCE_INSUFFICIENT: lambda fields, verb: fields | {4: "000900000000"},
    Code.AMOUNT_NOT_POSITIVE: lambda fields, verb: fields | {4: "0" * 12},
    Code.ORIGINAL_INVALID: lambda fields, verb: fields | {90: "0800" + str(fields[90])[4:]},
    Code.ORIGINAL_NOT_FOUND: lambda fields, verb: fields | {90: str(fields[90])[:4] + "999998" + str(fields[90])[10:]},
    Code.SETTLEMENT_DAY_UNKNOWN: lambda fields, verb: fields | {15: f"{_in_days(-100):%m%d}"},
}


def _in_days(days: int) -> datetime:
    return datetime.now(ZONE) + timedelta(days=days)


@pytest.mark.req("C3")
@pytest.mark.req("S4")
def test_a_refusal_meets_every_message_that_it_is_for_and_no_other(desk, bank) -> None:
    _table(tuple(REFUSES), desk, bank)


def _table(codes: tuple[Code, ...], desk: Desk, bank) -> None:
    booked_before = None
    for code in codes:
        desk.books = code not in OF_CONTENT
        prepared = {key: desk.message(*key) for key in SERVED}
        booked_before = Transaction.objects.filter(refusal=0).count()
        with _world(code, bank):
            said = {key: _provoke(code, desk, key, prepared[key]) for key in SERVED}
        refused = set()
        for key, answer in said.items():
            verb = SERVED[key][0]
            number = int(answer.get(63, 0))
            assert answer[39] == response_code(number), (code, key)
            if number == code.value:
                refused.add(key)
            expected = verb in REFUSES[code] and not (code in CARD_STATES and key == ("0220", "0006"))
            expected = expected and not (code in CARD_STATES and key == ("0221", "0006"))
            assert (number == code.value) == expected, f"{key} {SERVED[key][2]}: {answer[39]}/{number}, not {code}"
        assert refused
        if REFUSES[code] >= MONEY and code is not Code.TRANSACTION_DIFFERS:
            now = Transaction.objects.filter(refusal=0).exclude(kind=2).count()
            assert now <= booked_before, "what is refused books nothing"
    bank.assert_ledger_holds()


def test_a_switch_that_is_busy_says_so_to_every_message(desk, bank) -> None:
    prepared = {key: desk.message(*key) for key in SERVED}
    process = SwitchProcess(None, "--limit", "queued=-1", "--limit", "share=0")
    try:
        with Terminal(process.host, process.port, NUMBER, HOSPITAL, bank.mac) as terminal:
            busy = Desk(terminal, desk.card)
            said = {key: busy.say(key[0], fields) for key, fields in prepared.items()}
    finally:
        process.stop()
    assert {(one[39], one[63]) for one in said.values()} == {("91", f"{Code.SWITCH_BUSY.value:04d}")}


def test_a_proof_that_cannot_be_judged_takes_nothing(desk, bank) -> None:
    """The tables of keys cannot be read: a payment that is signed by the card is refused, and none is booked."""
    bought = desk.terminal.new_purchase(desk.card, 100)
    signed = replace(bought, chip_data=pack([(CRYPTOGRAM, bytes(8)), (SOURCE, bytes(8))]))
    cluster, name = settings.NODE.cluster, settings.NODE.file.database.name
    right = "EXECUTE ON FUNCTION switch_taken(date, integer[], integer[], integer[])"
    with psycopg.connect(cluster.dsn(name, "postgres"), autocommit=True) as administrator:
        administrator.execute(f"REVOKE {right} FROM sheka_switch")
        answer = desk.terminal.send_purchase(signed)
        administrator.execute(f"GRANT {right} TO sheka_switch")
    assert (answer.response_code, answer.refusal) == ("91", Code.PROOF_NOT_KNOWN.value)
    assert not Transaction.objects.filter(refusal=0).exists()
    bank.assert_ledger_holds()


def _provoke(code: Code, desk: Desk, key: tuple[str, str], fields: Fields) -> Fields:
    kind, verb = key[0], SERVED[key][0]
    terminal = desk.terminal
    if code is Code.TRANSACTION_DIFFERS:
        first = desk.say(kind, fields)
        if verb in (Verb.BALANCE, Verb.NETWORK):
            return first
        other = {Verb.SETTLEMENT: {76: "0000000099"}}.get(verb, {62: bank_card(desk)})
        return desk.say(kind, fields | other)
    if code is Code.MESSAGE_MAC_INVALID:
        good = terminal.encoded(kind, fields)
        return decode(terminal.exchange(good[:-8] + bytes(8))).fields
    if code is Code.FIELD_MISSING:
        dropped = max(set(SERVED[key][1]) - {3, 25, 41, 42})
        return desk.say(kind, {number: value for number, value in fields.items() if number != dropped})
    if code in (Code.FIELD_INVALID, Code.FIELD_NOT_IN_DICTIONARY, Code.MESSAGE_TOO_LONG):
        return decode(terminal.exchange(_damaged(code, terminal.encoded(kind, fields), fields))).fields
    change = CHANGES.get(code)
    applies = verb in REFUSES[code] or (change is not None and code in (Code.CURRENCY_FOREIGN, Code.ACQUIRER_FOREIGN))
    return desk.say(kind, change(fields, verb) if change is not None and applies else fields)


def bank_card(desk: Desk) -> str:
    return Card.objects.exclude(number=desk.card).values_list("number", flat=True).order_by("pk")[0]


def _damaged(code: Code, good: bytes, fields: Fields) -> bytes:
    if code is Code.MESSAGE_TOO_LONG:
        return good + b"1"
    if code is Code.FIELD_NOT_IN_DICTIONARY:
        return good[:4] + bytes([good[4] | 0x08]) + good[5:]  # field 5
    stan = str(fields[11]).encode()
    assert not dictionary()[11].prefix
    return good.replace(stan, b"x" + stan[1:], 1)


def test_codes_of_one_verb(desk, bank, terminal) -> None:
    too_dear = terminal.new_purchase(desk.card, 900_000_000)
    assert terminal.send_purchase(too_dear).refusal == Code.BALANCE_INSUFFICIENT.value
    assert terminal.refund(too_dear, 1)[1].refusal == Code.ORIGINAL_NOT_APPROVED.value
    bought = terminal.new_purchase(desk.card, 700)
    terminal.send_purchase(bought)
    more = type(bought)(**{**{name: getattr(bought, name) for name in bought.__slots__}, "amount": 800})
    answer = terminal.reversal(more)
    assert (answer.refusal, answer.differs) == (Code.REVERSAL_AMOUNT.value, "4")
    assert terminal.upload(desk.day, bought, 701).refusal == Code.BATCH_LINE_DIFFERS.value
    assert terminal.settle(desk.day, Totals()).refusal == Code.BATCH_OUT_OF_BALANCE.value
    assert terminal.reversal(terminal.new_purchase(desk.card, 1)).refusal == Code.ORIGINAL_UNKNOWN.value
    for garbled, code in (
        (b"0200\x80" + bytes(8), Code.MESSAGE_TOO_SHORT),
        (b"02\xb2\xb2" + bytes(8), Code.MESSAGE_TYPE_INVALID),
    ):
        with Terminal(*terminal._address, NUMBER, HOSPITAL, bank.mac) as other:
            if code is Code.MESSAGE_TYPE_INVALID:  # not even the type is known: the line ends
                with pytest.raises(Refused):
                    other.exchange(garbled)
            else:
                assert decode(other.exchange(garbled)).fields[63] == f"{code.value:04d}"
    bank.assert_ledger_holds()
