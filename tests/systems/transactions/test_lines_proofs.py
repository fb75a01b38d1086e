"""PIN and cryptogram on the line, judged in a real encryption machine (S4, C1).

What is lost if this fails: a thief with a found card pays, a counterfeit card pays, or somebody reads PINs.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone
from tests.support.lines import plain_mac, plant, transport
from tests.support.payments import CITY, HOSPITAL, SwitchProcess

from sheka.equipment.card_reader.purchase import Purchased
from sheka.equipment.encryption_machine.model import Usage
from sheka.foundation.chip.authentication import (
    Settlement,
    purchase_mac1,
    purchase_session_key,
    tac,
)
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.crypto.diversify import diversify
from sheka.foundation.iso8583 import decode
from sheka.foundation.iso8583.chip_data import MAC1, SESSION, pack, unpack
from sheka.foundation.iso8583.framing import frame
from sheka.foundation.refusals import Code, Refused
from sheka.office.audit.models import Event
from sheka.office.scope import whole_node
from sheka.office.staff.permissions import Permission
from sheka.systems.cards.models import Card
from sheka.systems.keys.models import Key
from sheka.systems.transactions.actions.blocks import block
from sheka.systems.transactions.actions.keep_line import set_profile
from sheka.systems.transactions.actions.set_card_pin import set_card_pin
from sheka.systems.transactions.line_client import PIN_FIELDS, WorkingKeys, chip_data_of
from sheka.systems.transactions.line_models import CardPin, TerminalFault
from sheka.systems.transactions.models import Terminal as TerminalRow
from sheka.systems.transactions.models import Transaction
from sheka.systems.transactions.terminal import Terminal

pytestmark = pytest.mark.django_db(transaction=True)
FIRST = "460100000001"
PIN, WRONG = "739184620517", "739184620518"
_TABLES = """SELECT tablename FROM pg_tables WHERE schemaname = 'public'
    AND has_table_privilege(quote_ident(tablename), 'SELECT')
    AND tablename LIKE ANY (ARRAY['transactions%', 'audit%'])"""


@pytest.fixture
def switch(bank) -> Iterator[SwitchProcess]:
    process = SwitchProcess()
    yield process
    print(process.stop())


_open: list[Terminal] = []


@pytest.fixture(autouse=True)
def closed():
    """Lines of pads end with their test."""
    yield
    while _open:
        _open.pop().close()


class Pad:
    """A terminal with working keys and a PIN pad."""

    def __init__(self, switch: SwitchProcess, bank, algorithm: Algorithm = Algorithm.SM4) -> None:
        self.bank, self.algorithm = bank, algorithm
        self.keys: WorkingKeys = transport(bank.actor, algorithm)
        self.terminal = Terminal(switch.host, switch.port, FIRST, HOSPITAL, bank.mac)
        _open.append(self.terminal)
        for _ in range(100):
            try:
                self.keys.take_pin_key(self.terminal.key_exchange("1"))
                return
            except Refused:  # the registry does not know the transport key yet
                continue
        raise AssertionError("no PIN key was given out")

    def set(self, card: str, pin: str = PIN) -> None:
        set_card_pin(self.bank.actor, card_number=card, terminal=FIRST, block=self.keys.pin_block(pin, card))

    def purchase(self, card: str, pin: str, amount: int = 1):
        return self.terminal.new_purchase(card, amount), (PIN_FIELDS[self.algorithm], self.keys.pin_block(pin, card))

    def pay(self, card: str, pin: str, amount: int = 1):
        purchase, block = self.purchase(card, pin, amount)
        return self.terminal.send_purchase(replace(purchase, pin=block))


@pytest.mark.req("S4")
@pytest.mark.parametrize("algorithm", list(Algorithm), ids=lambda one: one.name)
def test_a_pin_is_judged_in_the_machine_and_blocks_after_three(switch, bank, algorithm):
    if algorithm is Algorithm.TDES:
        bank.mac_key = set_profile(bank.actor, code=HOSPITAL, profile="3des").mac_key
    pad, card = Pad(switch, bank, algorithm), bank.cards[0].number
    none = pad.pay(card, PIN)
    assert (none.response_code, none.refusal) == ("57", Code.PIN_NOT_SET.value)
    pad.set(card)
    assert pad.pay(card, PIN).approved
    assert pad.terminal.purchase(card, 1).approved, "the policy asks for no PIN here"
    for _ in range(2):
        wrong = pad.pay(card, WRONG)
        assert (wrong.response_code, wrong.refusal) == ("55", Code.PIN_WRONG.value)
    assert pad.pay(card, PIN).approved, "a right one forgives the wrong ones before"
    broken = replace(
        pad.terminal.new_purchase(card, 1), pin=(PIN_FIELDS[algorithm], secrets.token_bytes(len(_block(pad))))
    )
    refused = pad.terminal.send_purchase(broken)
    assert (refused.response_code, refused.refusal) == ("99", Code.PIN_BLOCK_INVALID.value)
    assert CardPin.objects.get().tries == 0, "what is no PIN block was held against the card"
    purchase, block = pad.purchase(card, WRONG)
    first = pad.terminal.send_purchase(replace(purchase, pin=block))
    again = pad.terminal.send_purchase(replace(purchase, pin=block), repeat=True)
    assert first.received == again.received
    assert CardPin.objects.get().tries == 1, "a repeat was counted again"
    assert [pad.pay(card, WRONG).refusal for _ in range(3)] == [
        Code.PIN_WRONG.value,
        Code.PIN_WRONG.value,
        Code.PIN_BLOCKED.value,
    ]
    blocked = pad.pay(card, PIN)
    assert (blocked.response_code, blocked.refusal) == ("75", Code.PIN_BLOCKED.value)
    assert pad.terminal.balance(card).approved
    pad.set(card, WRONG)
    assert pad.pay(card, WRONG).approved
    assert pad.pay(card, PIN).refusal == Code.PIN_WRONG.value
    assert bank.balance() == 100_000 - 4
    bank.assert_ledger_holds()


def _block(pad: Pad) -> bytes:
    return pad.keys.pin_block(PIN, pad.bank.cards[0].number)


@pytest.mark.req("S4")
def test_guessing_on_many_lines_at_once_is_no_more_tries(switch, bank):
    pad, card = Pad(switch, bank), bank.cards[1].number
    pad.set(card)

    with plain_mac(bank) as mac, ThreadPoolExecutor(12) as pool:

        def guess(number: int) -> int:
            with Terminal(switch.host, switch.port, FIRST, HOSPITAL, mac, first_stan=1000 + number) as terminal:
                purchase = terminal.new_purchase(card, 1)
                block = pad.keys.pin_block(f"{number:06d}", card)
                return terminal.send_purchase(replace(purchase, pin=(59, block))).refusal

        found = list(pool.map(guess, range(24)))
    assert found.count(Code.PIN_WRONG.value) <= 3, "more guesses were judged than the policy allows"
    assert set(found) <= {Code.PIN_WRONG.value, Code.PIN_BLOCKED.value}
    assert CardPin.objects.get(card_number=card).blocked_at is not None


@pytest.mark.req("S4")
@pytest.mark.req("K6")
def test_no_pin_stands_in_the_switch_its_log_or_the_database(switch, bank):
    pad, card = Pad(switch, bank), bank.cards[0].number
    pad.set(card)
    assert pad.pay(card, PIN).approved
    assert pad.pay(card, WRONG).refusal == Code.PIN_WRONG.value
    block = pad.keys.pin_block(PIN, card)
    forms = [PIN.encode(), bytes.fromhex(PIN), WRONG.encode(), bytes.fromhex(WRONG)]
    memory = _memory(switch.process.pid)
    assert any(card.encode() in piece for piece in memory), "the memory was not read"
    for form in forms:
        assert not any(form in piece for piece in memory), "the switch knows a PIN"
    with whole_node("the test looks through everything"), connection.cursor() as cursor:
        cursor.execute(_TABLES)
        for (table,) in cursor.fetchall():
            cursor.execute(
                f'SELECT count(*) FROM "{table}" t WHERE t::text LIKE ANY (%s)', [[f"%{PIN}%", f"%{WRONG}%"]]
            )
            assert cursor.fetchone()[0] == 0, table
            cursor.execute(f'SELECT count(*) FROM "{table}" t WHERE t::text ILIKE %s', [f"%{block.hex()}%"])
            assert cursor.fetchone()[0] == 0, f"the PIN block is kept in {table}"
    pad.terminal.close()
    said = switch.stop()
    assert PIN not in said
    assert WRONG not in said


def _memory(pid: int) -> list[bytes]:
    """What a process may write to, piece by piece."""
    pieces = []
    with Path(f"/proc/{pid}/mem").open("rb", 0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            found = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
            if found is None:
                continue
            start, end = (int(part, 16) for part in found.groups())
            try:
                memory.seek(start)
                pieces.append(memory.read(end - start))
            except (OSError, ValueError):
                continue
    return pieces


@pytest.mark.req("S4")
@pytest.mark.req("K6")
def test_setting_a_pin_needs_the_right_a_live_card_and_a_pad_that_is_believed(switch, bank):
    pad, (first, second, third, _) = Pad(switch, bank), bank.cards
    block = pad.keys.pin_block(PIN, first.number)

    def refused(actor=bank.actor, card: str = first.number, terminal: str = FIRST, pin_block: bytes = block) -> Code:
        with pytest.raises(Refused) as refusal:
            set_card_pin(actor, card_number=card, terminal=terminal, block=pin_block)
        return refusal.value.code

    nobody = replace(bank.actor, permissions=frozenset(Permission) - {Permission.CARD_PIN})
    assert refused(nobody) is Code.PERMISSION_MISSING
    assert refused(card="X00000019") is Code.CARD_UNKNOWN
    Card.objects.filter(pk=second.pk).update(state="lost")
    assert refused(card=second.number) is Code.CARD_NOT_YET_ACTIVE
    assert refused(terminal="460100999999") is Code.TERMINAL_UNKNOWN
    TerminalRow.objects.filter(number="460100000002").update(state="suspended")
    assert refused(terminal="460100000002") is Code.TERMINAL_NOT_ACTIVE
    assert refused(terminal="460100000003") is Code.PIN_BLOCK_INVALID, "that pad was given no key"
    assert refused(card=third.number) is Code.PIN_BLOCK_INVALID, "the block is another card's"
    assert refused(pin_block=secrets.token_bytes(16)) is Code.PIN_BLOCK_INVALID
    assert not CardPin.objects.exists(), "what was refused left something behind"
    assert not Event.objects.filter(event="card.online_pin_set").exists()

    kept = set_card_pin(bank.actor, card_number=first.number.lower(), terminal=FIRST, block=block)
    assert kept.card_number == first.number
    assert pad.pay(first.number, PIN).approved
    pad.pay(first.number, WRONG)
    pad.set(first.number, WRONG)
    row = CardPin.objects.get()
    assert (row.tries, row.blocked_at, row.by) == (0, None, bank.actor.name)
    assert pad.pay(first.number, WRONG).approved
    events = Event.objects.filter(event="card.online_pin_set", subject=f"card:{first.number}")
    assert events.count() == 2
    assert not any(secret in event.facts for event in events for secret in (PIN, WRONG, kept.value, row.value))


# cryptograms


class City:
    """The keys DTK and DPK of Haikou, known to the test as a card and a PSAM know their children."""

    def __init__(self, algorithm: Algorithm) -> None:
        self.algorithm, self.values = algorithm, {name: secrets.token_bytes(16) for name in ("DTK", "DPK")}
        for name, value in self.values.items():
            Key.objects.create(
                organisation_id=CITY,
                name=name,
                algorithm=int(algorithm),
                version=1,
                usage="MAC",
                owner_level="ministry",
                reference=plant(Usage.MAC, algorithm, value, diversified=True),
                check_value="",
                origin="imported",
                state="active",
                since=timezone.now(),
            )

    def of_card(self, name: str, card: Card) -> bytes:
        return diversify(self.algorithm, self.values[name], bytes.fromhex(card.factor))

    def proof(self, card: Card, purchase, sequence: int, amounts=None, *, mac1: bool = False) -> bytes:
        """Field 55 as card and PSAM make it."""
        deal = Settlement(
            amounts or (0, purchase.amount, purchase.amount),
            bytes.fromhex(FIRST),
            bytes.fromhex(f"{purchase.at:%Y%m%d%H%M%S}"),
        )
        terminal_sequence = sequence.to_bytes(4)
        made = tac(self.algorithm, self.of_card("DTK", card), deal, terminal_sequence)
        key = purchase_session_key(self.algorithm, self.of_card("DPK", card), b"rand", b"\0\1", terminal_sequence)
        mac = purchase_mac1(self.algorithm, key, deal)
        data = chip_data_of(Purchased(deal, b"\0\1", terminal_sequence, b"rand", 1, 1, self.algorithm, mac, made))
        return data if mac1 else pack([item for item in unpack(data) if item[0] not in (MAC1, SESSION)])


@pytest.fixture
def city(bank) -> City:
    for number, card in enumerate(bank.cards):
        card.factor = f"{0x4601001700000000 + number:016X}"
        card.save(update_fields=["factor"])
    return City(Algorithm(bank.cards[0].algorithm))


@pytest.mark.req("S4")
def test_a_blocked_terminal_tries_no_pin(switch, bank):
    """With a stolen terminal and a found card somebody learned whether a PIN was right, or used its tries up."""
    pad, card = Pad(switch, bank), bank.cards[0].number
    pad.set(card)
    block(bank.actor, kind="terminal", subject=FIRST, reason="stolen")
    deadline = time.monotonic() + 5
    while pad.terminal.purchase(card, 1).refusal != Code.TERMINAL_ON_BLOCK_LIST.value:
        assert time.monotonic() < deadline, "the news of the block never came"
    for pin in (PIN, *[WRONG] * 4):
        assert pad.pay(card, pin).refusal == Code.TERMINAL_ON_BLOCK_LIST.value
    kept = CardPin.objects.get()
    assert (kept.tries, kept.blocked_at) == (0, None)


@pytest.mark.req("C1")
@pytest.mark.req("S4")
def test_a_counterfeit_card_is_told_by_its_cryptogram(switch, bank, city):
    card = bank.cards[0]
    with Terminal(switch.host, switch.port, FIRST, HOSPITAL, bank.mac) as terminal:

        def pay(amount: int, **named):
            purchase = terminal.new_purchase(card.number, amount)
            made = named.pop("made_for", None)
            other = replace(purchase, amount=made) if made else purchase
            return terminal.send_purchase(
                replace(purchase, chip_data=city.proof(named.pop("card", card), other, purchase.stan, **named))
            )

        assert pay(100).approved
        assert pay(100, mac1=True).approved
        assert pay(60, amounts=(0, 250, 100)).approved, "a part of an online settlement"
        forged = pay(100, card=bank.cards[1])
        assert (forged.response_code, forged.refusal) == ("63", Code.CRYPTOGRAM_WRONG.value)
        assert pay(100, made_for=90).refusal == Code.CRYPTOGRAM_WRONG.value, "signed for another amount"
        assert pay(100, amounts=(0, 50, 50)).refusal == Code.CRYPTOGRAM_WRONG.value, "more than was signed"
        purchase = terminal.new_purchase(card.number, 5)
        data = city.proof(card, purchase, 9).replace(b"DTK/1", b"DTK/7")
        assert terminal.send_purchase(replace(purchase, chip_data=data)).refusal == Code.CRYPTOGRAM_KEY_UNKNOWN.value
        good = terminal.new_purchase(card.number, 5)
        right = city.proof(card, good, 10, mac1=True)
        at = right.index(b"rand") - 7
        broken = right[:at] + bytes([right[at] ^ 1]) + right[at + 1 :]
        assert terminal.send_purchase(replace(good, chip_data=broken)).refusal in (
            Code.CRYPTOGRAM_WRONG.value,
            Code.FIELD_INVALID.value,
        )
    assert bank.balance() == 100_000 - 260
    rows = Transaction.objects.filter(refusal=Code.CRYPTOGRAM_WRONG.value)
    assert rows.count() >= 3, "a refused counterfeit leaves its row"
    deadline = time.monotonic() + 5
    while TerminalFault.objects.get(kind="proof").times < 3:  # written a few times a second
        assert time.monotonic() < deadline
        time.sleep(0.05)
    bank.assert_ledger_holds()


@pytest.mark.req("C1")
@pytest.mark.req("S4")
def test_a_card_whose_citys_machine_is_away_costs_nobody_else_an_answer(switch, bank, city):
    """Both stand in one batch: who paid with a card of that city again and again kept every other card from paying."""
    far = bank.cards[1]
    Card.objects.filter(pk=far.pk).update(organisation_id="460000")
    for row in Key.objects.filter(organisation_id=CITY, name__in=("DTK", "DPK")):
        row.pk, row.organisation_id = None, "460000"
        row.save()
    with Terminal(switch.host, switch.port, FIRST, HOSPITAL, bank.mac) as terminal:
        data, asked = b"", []
        for card in (bank.cards[0], far, bank.cards[2]):
            purchase = terminal.new_purchase(card.number, 100)
            purchase = replace(purchase, chip_data=city.proof(card, purchase, purchase.stan))
            data += frame(terminal.encoded("0200", terminal._purchase_fields(purchase)))
            asked.append(f"{purchase.stan:06d}")
        line = terminal._line()
        line.sendall(data)
        answers = {}
        for _ in asked:
            size = int.from_bytes(terminal._receive(line, 2))
            fields = decode(terminal._receive(line, size)).fields
            answers[fields[11]] = (fields[39], fields.get(63))
    assert [answers[stan] for stan in asked] == [("00", None), ("91", "4718"), ("00", None)]
    bank.assert_ledger_holds()


@pytest.mark.req("C1")
def test_where_the_policy_wants_proofs_nothing_is_paid_without(line_policy, bank, city):
    line_policy(
        ('[institutions.H]\npin = false\ncryptogram = "none"', '[institutions.H]\npin = true\ncryptogram = "mac1"')
    )
    process = SwitchProcess()
    try:
        pad, card = Pad(process, bank), bank.cards[0]
        pad.set(card.number)
        bare = pad.terminal.purchase(card.number, 1)
        assert (bare.response_code, bare.refusal) == ("30", Code.CRYPTOGRAM_MISSING.value)
        purchase = pad.terminal.new_purchase(card.number, 1)
        signed = replace(purchase, chip_data=city.proof(card, purchase, 1, mac1=True))
        assert pad.terminal.send_purchase(signed).refusal == Code.PIN_MISSING.value
        purchase = pad.terminal.new_purchase(card.number, 1)
        signed = replace(purchase, chip_data=city.proof(card, purchase, 2))
        assert pad.terminal.send_purchase(signed).refusal == Code.CRYPTOGRAM_MISSING.value, "TAC without MAC1"
        purchase, block = pad.purchase(card.number, PIN)
        whole = replace(purchase, pin=block, chip_data=city.proof(card, purchase, 3, mac1=True))
        assert pad.terminal.send_purchase(whole).approved
        assert pad.terminal.reversal(whole).approved, "taking back needs no proof"
    finally:
        print(process.stop())
    bank.assert_ledger_holds()
