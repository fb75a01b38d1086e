"""The block list: a running switch refuses what is barred within five seconds, or it refuses everything (K8, C1)."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import timedelta

import psycopg
import pytest
from django.conf import settings
from django.utils import timezone
from tests.support.approvals import policy_with, present
from tests.support.payments import CITY, HOSPITAL, SwitchProcess

from sheka.foundation.iso8583 import decode
from sheka.foundation.iso8583.chip_data import KEY_VERSION, pack
from sheka.foundation.refusals import Code, Refused
from sheka.office.messages.delivery import carry_all
from sheka.office.staff.actors import Actor
from sheka.systems.keys.models import Machine
from sheka.systems.transactions.actions.bind_psam import bind_psam, put_in_service, release_psam, take_alarms
from sheka.systems.transactions.actions.blocks import block, freeze_subject, lift_digest, thaw_subject, unblock
from sheka.systems.transactions.models import Block, PsamAlarm, PsamUse, Transaction
from sheka.systems.transactions.switch.settings import SECRET_VARIABLE
from sheka.systems.transactions.terminal import Asked, Purchase, Terminal

pytestmark = pytest.mark.django_db(transaction=True)
PSAM = "460100000001"
WITHIN = 5.0


@pytest.fixture
def administrator():
    with psycopg.connect(**settings.NODE.cluster.parameters(settings.NODE.file.database.name, "postgres")) as found:
        found.autocommit = True
        yield found


def until(terminal, card, refusal: int) -> float:
    """Pay one fen again and again until the switch says this; the seconds that it took."""
    began = time.monotonic()
    while terminal.purchase(card, 1).refusal != refusal:
        assert time.monotonic() - began < WITHIN, f"not {refusal} within {WITHIN} s"
        time.sleep(0.02)
    return time.monotonic() - began


def number_of(code: Code | None) -> int:
    return code.value if code else 0


@pytest.mark.req("K8")
@pytest.mark.req("C1")
def test_each_kind_of_block_is_refused_within_five_seconds_and_lifted_by_another(terminal, bank, appoint):
    second = appoint("second", CITY, "acquiring_officer")
    first = appoint("first", CITY, "acquiring_officer")
    card = bank.cards[0].number
    bind_psam(bank.actor, terminal="460100000001", psam=PSAM)
    put_in_service(bank.actor, psam=PSAM, active=True)
    assert terminal.purchase(card, 1).approved
    for kind, subject, code, answer in (
        ("terminal", "460100000001", Code.TERMINAL_ON_BLOCK_LIST, "58"),
        ("psam", PSAM, Code.PSAM_ON_BLOCK_LIST, "63"),
        ("card", card, Code.CARD_ON_BLOCK_LIST, "62"),
        ("card_range", f"{card}-{bank.cards[1].number}", Code.CARD_RANGE_ON_BLOCK_LIST, "62"),
    ):
        found = block(first, kind=kind, subject=subject, reason="stolen")
        assert until(terminal, card, code.value) < WITHIN
        assert terminal.purchase(card, 1).response_code == answer
        assert terminal.balance(card).refusal == code.value
        if kind == "card_range":
            assert terminal.purchase(bank.cards[1].number, 1).refusal == code.value
            assert terminal.purchase(bank.cards[2].number, 1).approved
        with pytest.raises(Refused) as own:
            unblock(first, number=found.pk, reason="found")
        assert own.value.code is Code.BLOCK_LIFTED_BY_PLACER
        with pytest.raises(Refused) as absent:
            unblock(second, number=found.pk, reason="found again")
        assert absent.value.code is Code.CONFIRMATION_NEEDED
        present(second, lift_digest(found))
        unblock(second, number=found.pk, reason="found again")
        until(terminal, card, 0)
    bank.assert_ledger_holds()


@pytest.mark.req("C1")
def test_a_key_version_that_leaked_is_refused_and_the_next_one_works(terminal, bank):
    card = bank.cards[0].number
    block(bank.actor, kind="key_version", subject="DTK/1", reason="compromised")

    def pay(version: bytes) -> int:
        made = terminal.new_purchase(card, 1)
        chip = pack([(KEY_VERSION, version)])
        return terminal.send_purchase(Purchase(made.stan, card, 1, made.at, chip_data=chip)).refusal

    began = time.monotonic()
    while pay(b"DTK/1") != Code.KEY_VERSION_ON_BLOCK_LIST.value:
        assert time.monotonic() - began < WITHIN
    assert pay(b"DTK/2") == 0


@pytest.mark.req("K8")
def test_a_repeat_of_what_was_paid_before_the_block_stays_paid_and_reverses(terminal, bank):
    card = bank.cards[0].number
    purchase = terminal.new_purchase(card, 5_000)
    paid = terminal.send_purchase(purchase)
    block(bank.actor, kind="terminal", subject="460100000001", reason="stolen")
    until(terminal, card, Code.TERMINAL_ON_BLOCK_LIST.value)
    left = bank.balance()
    assert terminal.send_purchase(purchase, repeat=True).received == paid.received
    assert bank.balance() == left
    assert terminal.reversal(purchase).approved
    assert bank.balance() == left + 5_000
    declined = terminal.new_purchase(card, 100)
    first = terminal.send_purchase(declined)
    assert first.refusal == Code.TERMINAL_ON_BLOCK_LIST.value
    assert terminal.send_purchase(declined, repeat=True).received == first.received
    assert Transaction.objects.filter(refusal=Code.TERMINAL_ON_BLOCK_LIST.value).count() >= 2
    bank.assert_ledger_holds()


@pytest.mark.req("K8")
def test_a_cut_line_to_the_database_is_noticed_and_the_list_read_anew(terminal, bank, administrator):
    card = bank.cards[0].number
    assert terminal.purchase(card, 1).approved
    cut = administrator.execute(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE application_name = 'switch guard' AND datname = current_database()"
    ).fetchone()[0]
    assert cut == 1
    block(bank.actor, kind="card", subject=card, reason="counterfeit")
    assert until(terminal, card, Code.CARD_ON_BLOCK_LIST.value) < WITHIN
    bank.assert_ledger_holds()


@pytest.mark.req("K8")
def test_an_announcement_that_is_lost_is_made_good_by_the_count(terminal, bank, administrator):
    card = bank.cards[0].number
    administrator.execute(
        "CREATE OR REPLACE FUNCTION transactions_announce_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS"
        " $$ BEGIN INSERT INTO public.transactions_change DEFAULT VALUES; RETURN NULL; END $$"
    )
    block(bank.actor, kind="card", subject=card, reason="counterfeit")
    assert until(terminal, card, Code.CARD_ON_BLOCK_LIST.value) < WITHIN


@pytest.mark.req("K8")
def test_a_switch_that_cannot_know_refuses_everything_until_it_knows_again(terminal, bank, administrator):
    card = bank.cards[0].number
    paid = terminal.new_purchase(card, 1)
    assert terminal.send_purchase(paid).approved
    administrator.execute("BEGIN; LOCK TABLE transactions_change IN ACCESS EXCLUSIVE MODE")
    assert until(terminal, card, Code.BLOCK_LIST_NOT_KNOWN.value) < WITHIN + 4
    asked, told = terminal.new_purchase(card, 1), terminal.new_request(Asked.PURCHASE_ADVICE, card, 2)
    for one in (asked, told):
        answer = terminal.send_purchase(one)
        assert (answer.response_code, answer.refusal) == ("91", Code.BLOCK_LIST_NOT_KNOWN.value)
    assert terminal.send_purchase(paid, repeat=True).approved, "what was paid before is not known any more"
    balance = bank.balance()
    administrator.execute("ROLLBACK")
    until(terminal, card, 0)
    assert bank.balance() < balance
    balance = bank.balance()
    assert terminal.send_purchase(asked, repeat=True).approved, "not taken for now became a decline for ever"
    assert terminal.send_purchase(told, repeat=True).approved
    assert bank.balance() == balance - 3
    assert not Transaction.objects.filter(refusal=Code.BLOCK_LIST_NOT_KNOWN.value).exists()
    bank.assert_ledger_holds()


@pytest.mark.req("K8")
def test_a_psam_serves_in_its_own_terminal_only_when_it_is_active_and_its_counter_goes_on(switch, bank):
    card = bank.cards[0].number
    bind_psam(bank.actor, terminal="460100000001", psam=PSAM)
    with Terminal(switch.host, switch.port, "460100000001", HOSPITAL, bank.mac, psam=PSAM) as own:
        until(own, card, Code.PSAM_NOT_IN_SERVICE.value)
        put_in_service(bank.actor, psam=PSAM, active=True)
        until(own, card, 0)
        again = own.new_purchase(card, 1)
        assert own.send_purchase(again).approved
        assert own.send_purchase(again, repeat=True).approved
    with Terminal(switch.host, switch.port, "460100000002", HOSPITAL, bank.mac, psam=PSAM) as other:
        assert other.purchase(card, 1).refusal == Code.PSAM_OF_ANOTHER_TERMINAL.value
    clock = {"psam": PSAM, "psam_sequence": 1, "first_stan": 9_000}
    with Terminal(switch.host, switch.port, "460100000001", HOSPITAL, bank.mac, **clock) as clone:
        assert clone.purchase(card, 1).approved
    switch.stop()
    use = PsamUse.objects.get(psam=PSAM)
    assert (use.terminal.number, use.last_counter) == ("460100000001", again_counter(again))
    assert use.uses == again_counter(again) + 1
    alarms = {alarm.kind: alarm for alarm in take_alarms(bank.actor)}
    assert (alarms["terminal"].terminal.number, alarms["terminal"].got) == ("460100000002", PSAM)
    assert (alarms["counter"].expected, alarms["counter"].got) == (str(use.last_counter + 1), "1")
    assert take_alarms(bank.actor) == [] != list(PsamAlarm.objects.all())
    assert release_psam(bank.actor, psam=PSAM) == "460100000001"
    for verb in (release_psam, lambda actor, psam: put_in_service(actor, psam=psam, active=True)):
        with pytest.raises(Refused) as refusal:
            verb(bank.actor, psam=PSAM)
        assert refusal.value.code is Code.TERMINAL_HAS_NO_PSAM


def again_counter(purchase) -> int:
    return int.from_bytes(purchase.chip_data[-4:])


@pytest.mark.req("K8")
def test_where_the_policy_wants_a_psam_a_terminal_without_one_is_refused(bank, monkeypatch, tmp_path):
    made = policy_with(tmp_path, "")
    strictly = (made / "psams.toml").read_text("utf-8").replace("required = false", "required = true")
    (made / "psams.toml").write_text(strictly, "utf-8")
    monkeypatch.setenv("SHEKA_POLICY", str(made))
    strict = SwitchProcess()
    try:
        with Terminal(strict.host, strict.port, "460100000001", HOSPITAL, bank.mac) as terminal:
            answer = terminal.purchase(bank.cards[0].number, 1)
            assert (answer.response_code, answer.refusal) == ("58", Code.PSAM_MISSING.value)
    finally:
        strict.stop()


def test_what_cannot_be_blocked_or_bound_is_said(bank):
    numbers = ["460100000001", "460100000002"]
    bind_psam(bank.actor, terminal=numbers[0], psam=PSAM)
    for verb, arguments, code in (
        (bind_psam, {"terminal": numbers[0], "psam": "P2"}, Code.TERMINAL_HAS_PSAM),
        (bind_psam, {"terminal": numbers[1], "psam": PSAM}, Code.PSAM_IN_TERMINAL),
        (bind_psam, {"terminal": "460100999999", "psam": "P3"}, Code.TERMINAL_UNKNOWN),
        (block, {"kind": "terminal", "subject": "460100999999", "reason": "x"}, Code.TERMINAL_UNKNOWN),
        (block, {"kind": "card", "subject": bank.cards[0].number, "reason": " "}, Code.BLOCK_REASON_MISSING),
        (block, {"kind": "card", "subject": "X", "reason": "x"}, Code.NUMBER_LENGTH),
        (block, {"kind": "key_version", "subject": "DTK", "reason": "x"}, Code.BLOCK_SUBJECT_INVALID),
        (block, {"kind": "psam", "subject": "P 1", "reason": "x"}, Code.BLOCK_SUBJECT_INVALID),
        (block, {"kind": "card_range", "subject": bank.cards[0].number, "reason": "x"}, Code.BLOCK_SUBJECT_INVALID),
        (unblock, {"number": 1_000_000, "reason": "x"}, Code.BLOCK_UNKNOWN),
    ):
        with pytest.raises(Refused) as refusal:
            verb(bank.actor, **arguments)
        assert refusal.value.code is code, arguments
    backwards = f"{bank.cards[1].number}-{bank.cards[0].number}"
    with pytest.raises(Refused) as refusal:
        block(bank.actor, kind="card_range", subject=backwards, reason="x")
    assert refusal.value.code is Code.BLOCK_SUBJECT_INVALID
    block(bank.actor, kind="psam", subject="p1-x", reason="x")
    with pytest.raises(Refused) as refusal:
        block(bank.actor, kind="psam", subject="P1-X", reason="x")
    assert refusal.value.code is Code.BLOCK_STANDS


@pytest.mark.req("K8")
def test_a_block_goes_down_the_tree_and_only_who_placed_it_lifts_it(bank, tree):
    ministry, city = Actor.process("test", "000000"), Actor.process("test", CITY)
    made = block(ministry, kind="psam", subject=PSAM, reason="stolen on the way")
    carry_all()
    copies = {row.organisation_id: row.source for row in Block.objects.filter(subject=PSAM, lifted_at=None)}
    assert copies == {"000000": "", "460000": "000000", CITY: "460000", "460200": "460000"}
    copy = Block.objects.get(organisation_id=CITY)
    with pytest.raises(Refused) as refusal:
        unblock(city, number=copy.pk, reason="ours")
    assert refusal.value.code is Code.BLOCK_OF_SUPERIOR
    unblock(ministry, number=made.pk, reason="found")
    carry_all()
    assert not Block.objects.filter(subject=PSAM, lifted_at=None).exists()


@pytest.mark.req("K9")
def test_an_incident_freezes_once_and_thaws_what_it_froze(bank):
    for _ in range(2):
        row = freeze_subject(bank.actor, kind="psam", subject=PSAM, incident="I-1", reason="lost")
    own = block(bank.actor, kind="psam", subject=PSAM, reason="ours as well")
    with pytest.raises(Refused) as refusal:
        unblock(bank.actor, number=row.pk, reason="x")
    assert refusal.value.code is Code.BLOCK_OF_INCIDENT
    assert thaw_subject(bank.actor, kind="psam", subject=PSAM, incident="I-1", reason="found") == 1
    assert thaw_subject(bank.actor, kind="psam", subject=PSAM, incident="I-1", reason="found") == 0
    assert [row.pk for row in Block.objects.filter(lifted_at=None)] == [own.pk]
    with suppress(Refused):
        unblock(bank.actor, number=own.pk, reason="over")
    assert not Block.objects.filter(lifted_at=None).exists()


@pytest.mark.req("K4")
def test_a_machine_without_a_certificate_in_force_does_no_production_work_at_the_switch(bank, monkeypatch):
    node = settings.NODE
    name = node.machine(CITY).name
    monkeypatch.setenv(SECRET_VARIABLE, node.machine_secret(name, "switch").hex())
    address = f"{CITY}={node.machine_address(name)}"
    today = timezone.localdate()
    real = SwitchProcess(None, "--dsn", node.dsn("switch"), "--machine", address)  # no demonstration
    try:
        with Terminal(real.host, real.port, "460100000001", HOSPITAL, bank.mac) as terminal:
            card = bank.cards[0].number
            idle = terminal.purchase(card, 1)
            assert (idle.response_code, idle.refusal) == ("91", Code.MACHINE_OUT_OF_PRODUCTION.value)
            row = Machine.objects.create(
                organisation_id=CITY,
                product="SJJ1912",
                certificate="GM003312020001",
                production_until=today - timedelta(days=1),
                fingerprint="00" * 32,
                public_key="04" * 65,
                registered_at=timezone.now(),
            )
            assert terminal.purchase(card, 1).refusal == Code.MACHINE_OUT_OF_PRODUCTION.value
            Machine.objects.filter(pk=row.pk).update(production_until=today)
            until(terminal, card, 0)
            later = [
                terminal.encoded("0200", terminal._purchase_fields(terminal.new_purchase(card, 1))) for _ in range(40)
            ]
            Machine.objects.filter(pk=row.pk).update(stopped=[{"reference": bank.mac_key}])
            refusals = set()
            while later and Code.KEY_VERSION_ON_BLOCK_LIST.value not in refusals:
                refusals.add(int(decode(terminal.exchange(later.pop())).fields.get(63, 0)))
                time.sleep(0.1)
            assert later, refusals
            Machine.objects.filter(pk=row.pk).update(stopped=[])
    finally:
        real.stop()
    bank.assert_ledger_holds()
