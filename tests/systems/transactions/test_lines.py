"""The line to institutions over real TCP, with a real encryption machine: who may speak, with which key (S4).

What is lost if this fails: a forged message is booked, or an honest terminal cannot pay.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from tests.support.lines import plant, transport
from tests.support.payments import CITY, HOSPITAL, SwitchProcess

from sheka.equipment.encryption_machine.model import Usage
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.iso8583 import decode
from sheka.foundation.refusals import Code, Refused
from sheka.office.audit.models import Event
from sheka.systems.keys.machines import machine_of
from sheka.systems.transactions.actions.keep_line import (
    organisations_to_tell,
    set_profile,
    set_transport_key,
    tell_line_events,
    unlock_terminal,
)
from sheka.systems.transactions.line_models import TerminalFault, WorkingKey
from sheka.systems.transactions.models import Institution
from sheka.systems.transactions.models import Terminal as TerminalRow
from sheka.systems.transactions.terminal import Terminal
from sheka.systems.transactions.verb_models import Abnormal

pytestmark = pytest.mark.django_db(transaction=True)
FIRST = "460100000001"


@pytest.fixture
def started() -> Iterator:
    """started(*arguments) → a switch; all are asked to stop at the end and do so in order."""
    processes: list[SwitchProcess] = []

    def start(*arguments: str) -> SwitchProcess:
        processes.append(SwitchProcess(None, *arguments))
        return processes[-1]

    yield start
    for process in processes:
        print(process.stop())


def connected(switch: SwitchProcess, bank, number: str = FIRST, mac=None, **named) -> Terminal:
    return Terminal(switch.host, switch.port, number, HOSPITAL, mac or bank.mac, **named)


def refusal_of(terminal: Terminal, bank, amount: int = 1) -> int:
    return terminal.purchase(bank.cards[0].number, amount).refusal


def until(condition, seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


@pytest.mark.req("S4")
def test_nothing_financial_before_sign_on_and_after_sign_off(line_policy, bank, started):
    line_policy(('[sign_on]\nwhen = "production"', '[sign_on]\nwhen = "always"'))
    switch = started()
    with connected(switch, bank) as terminal, connected(switch, bank, "460100000002", first_stan=50) as other:
        assert terminal.echo().approved
        denied = terminal.purchase(bank.cards[0].number, 1)
        assert (denied.response_code, denied.refusal) == ("77", Code.LINE_NOT_SIGNED_ON.value)
        assert terminal.balance(bank.cards[0].number).refusal == Code.LINE_NOT_SIGNED_ON.value
        signed = terminal.sign_on()
        told = decode(signed.received).fields
        assert signed.approved
        assert len(str(told[12])) == 6, "no time to set the clock by"
        assert terminal.purchase(bank.cards[0].number, 1).approved
        assert refusal_of(other, bank) == Code.LINE_NOT_SIGNED_ON.value, "another line is another sign-on"
        assert terminal.sign_off().approved
        assert refusal_of(terminal, bank) == Code.LINE_NOT_SIGNED_ON.value
        strange = terminal._network("999")
        assert (strange.refusal, strange.differs) == (Code.NETWORK_CODE_UNKNOWN.value, "70")


@pytest.mark.req("S4")
@pytest.mark.parametrize("algorithm", list(Algorithm), ids=lambda one: one.name)
def test_a_working_key_is_given_out_and_the_one_before_serves_a_while(line_policy, bank, started, algorithm):
    line_policy(("overlap_seconds = 600", "overlap_seconds = 2"))
    if algorithm is Algorithm.TDES:
        bank.mac_key = set_profile(bank.actor, code=HOSPITAL, profile="3des").mac_key
    switch = started()
    with connected(switch, bank) as terminal:
        with pytest.raises(Refused) as refusal:
            terminal.key_exchange("2")
        assert str(Code.TRANSPORT_KEY_MISSING.value) in str(refusal.value)
        keys = transport(bank.actor, algorithm)
        until(lambda: terminal.echo().approved and _given(terminal, keys))
        given = WorkingKey.objects.get()
        assert (given.terminal.number, given.purpose) == (FIRST, "mac")
        assert refusal_of(terminal, bank) == 0, "the key before no longer serves, though an answer may have got lost"
        changed = time.monotonic()
        terminal.use_mac(keys.mac)
        assert refusal_of(terminal, bank) == 0
        with connected(switch, bank, "460100000002", first_stan=70) as other:
            assert refusal_of(other, bank) == 0, "the key of one terminal is no other's"
        time.sleep(max(0.0, 2.1 - (time.monotonic() - changed)))
        with connected(switch, bank, first_stan=100) as stale:
            assert stale.echo().approved, "the first key proves network management for ever"
            with pytest.raises(Refused):
                stale.purchase(bank.cards[0].number, 1)
        assert refusal_of(terminal, bank) == 0
        keys.take_mac_key(terminal.key_exchange("2"))
        assert refusal_of_with(terminal, keys, bank) == 0
    assert organisations_to_tell() == [CITY]
    tell_line_events(bank.actor)
    told = Event.objects.filter(event="line.key_given_out")
    assert [row.subject for row in told] == [f"terminal:{FIRST}"] * 2
    assert organisations_to_tell() == []


def _given(terminal: Terminal, keys) -> bool:
    try:
        keys.take_mac_key(terminal.key_exchange("2"))
    except Refused:
        return False
    return True


def refusal_of_with(terminal: Terminal, keys, bank) -> int:
    terminal.use_mac(keys.mac)
    return refusal_of(terminal, bank)


@pytest.mark.req("S4")
def test_a_recorded_request_for_a_key_is_not_served_again_and_an_institution_may_share_one(bank, started):
    set_profile(bank.actor, code=HOSPITAL, profile="sm4", keys_for="institution")
    keys = transport(bank.actor)
    switch = started()
    with connected(switch, bank) as terminal, connected(switch, bank, "460100000002", first_stan=60) as other:
        answer = terminal._network("161", {53: "2".ljust(16, "0")})
        keys.take_mac_key(str(decode(answer.received).fields[48]))
        again = decode(terminal.exchange(answer.sent)).fields
        assert (again[39], again[63]) == ("94", str(Code.MESSAGE_REPLAYED.value))
        assert 48 not in again
        assert WorkingKey.objects.get().terminal is None
        for one in (terminal, other):
            assert refusal_of_with(one, keys, bank) == 0
        missing = terminal._network("161")
        assert (missing.refusal, missing.differs) == (Code.FIELD_MISSING.value, "53")
        strange = terminal._network("161", {53: "9".ljust(16, "0")})
        assert strange.refusal == Code.FIELD_INVALID.value


@pytest.mark.req("K6")
def test_only_a_fitting_key_becomes_a_transport_key(bank):
    wrong = {
        "usage": plant(Usage.MAC, Algorithm.SM4, bytes(range(16))),
        "algorithm": plant(Usage.WRAP, Algorithm.TDES, bytes(range(16))),
        "owner": plant(Usage.WRAP, Algorithm.SM4, bytes(range(16)), owner="460200"),
    }
    for name, reference in wrong.items():
        with pytest.raises(Refused) as refusal:
            set_transport_key(bank.actor, code=HOSPITAL, reference=reference)
        assert refusal.value.code is Code.TRANSPORT_KEY_UNFIT, name
    assert Institution.objects.get(code=HOSPITAL).transport_key == ""


@pytest.mark.req("S4")
@pytest.mark.req("S10")
def test_wrong_macs_lock_the_terminal_and_a_person_unlocks_it(line_policy, bank, started):
    line_policy(("mac = 10", "mac = 3"))
    switch = started()
    with connected(switch, bank) as terminal, connected(switch, bank, "460100000002", first_stan=50) as other:
        paid = terminal.new_purchase(bank.cards[0].number, 7)
        approved = terminal.send_purchase(paid)
        with connected(switch, bank, mac=lambda message: bytes(4), first_stan=200) as forger:
            for _ in range(2):
                with pytest.raises(Refused):
                    forger.purchase(bank.cards[0].number, 1)
            until(lambda: TerminalFault.objects.filter(times=2).exists())
            assert refusal_of(terminal, bank) == 0
            with pytest.raises(Refused):
                forger.purchase(bank.cards[0].number, 1)
        until(lambda: TerminalRow.objects.get(number=FIRST).state == "locked")
        until(lambda: terminal.echo().refusal == Code.TERMINAL_LOCKED.value)
        denied = terminal.purchase(bank.cards[0].number, 1)
        assert (denied.response_code, denied.refusal) == ("58", Code.TERMINAL_LOCKED.value)
        assert terminal.send_purchase(paid).received == approved.received, "what was approved stays approved"
        assert terminal.reversal(paid).approved, "money goes back, whoever is locked"
        assert refusal_of(other, bank) == 0
        told = Abnormal.objects.get(kind="wrong_mac")
        assert (told.facts["times"], told.facts["locked"]) == (3, True)
        with pytest.raises(Refused) as refusal:
            unlock_terminal(bank.actor, number=FIRST, reason=" ")
        assert refusal.value.code is Code.LINE_REASON_MISSING
        unlock_terminal(bank.actor, number=FIRST, reason="a tester's mistake")
        until(lambda: terminal.echo().approved)
        assert refusal_of(terminal, bank) == 0
        with pytest.raises(Refused):
            unlock_terminal(bank.actor, number=FIRST, reason="again")
    tell_line_events(bank.actor)
    assert Event.objects.filter(event="terminal.locked", subject=f"terminal:{FIRST}").count() == 1
    bank.assert_ledger_holds()


@pytest.mark.req("S4")
def test_a_clock_that_is_off_is_refused_but_not_what_was_stored_meanwhile(line_policy, bank, started, later):
    line_policy(
        ('[clock]\nwhen = "production"', '[clock]\nwhen = "always"'), ("skew_seconds = 900", "skew_seconds = 60")
    )
    switch = started()
    with connected(switch, bank) as right, connected(switch, bank, clock=later(3), first_stan=300) as off:
        paid = right.new_purchase(bank.cards[0].number, 5)
        approved = right.send_purchase(paid)
        assert approved.approved
        denied = off.purchase(bank.cards[0].number, 1)
        assert (denied.response_code, denied.refusal) == ("12", Code.CLOCK_SKEW.value)
        assert off.echo().refusal == Code.CLOCK_SKEW.value
        stored = off.new_purchase(bank.cards[0].number, 3)
        assert off.send_purchase(stored, repeat=True).approved, "a repeat keeps the time of its first sending"
        old = type(paid)(paid.stan, paid.card_number, paid.amount, paid.at, terminal=paid.terminal)
        assert right.send_purchase(old, repeat=True).received == approved.received
    until(lambda: Abnormal.objects.filter(kind="clock_skew").exists())
    assert Abnormal.objects.filter(kind="clock_skew").count() == 1
    assert timedelta(0) < timedelta(seconds=60)
    bank.assert_ledger_holds()


@pytest.mark.req("K6")
def test_the_switch_may_do_in_the_machine_what_it_must_and_nothing_else(bank):
    from sheka.equipment.encryption_machine.rights import SWITCH

    assert {usage.value for usage in SWITCH.usages} == {"MAC", "LINE", "PIN", "PIN_VALUE", "PIN_ZONE", "WRAP"}
    names = {verb.name for verb in SWITCH.verbs}
    assert names & {"GENERATE", "DERIVE", "EXPORT_ENVELOPE", "PIN_VALUES", "WRAP_DIVERSIFIED", "CRYPTOGRAMS"} == set()
    assert machine_of(CITY).describe().keys > 0
