"""A card and a PSAM sign a purchase between themselves, and the switch believes it once (C1, H4, K8, S4, S10).

Nothing here is made by hand: the card is personalised with keys that live in Haikou's encryption machine, the PSAM was
loaded there, the message goes over TCP, and the machine verifies. What is lost if this fails: a counterfeit card pays,
or what an honest card signed once is paid twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import pytest
from django.utils import timezone
from tests.support.lines import plain_mac
from tests.support.payments import CITY, HOSPITAL, SwitchProcess
from tests.support.psams import MAC, city_keys, drawer, in_use, maker, psams

from sheka.equipment.card_reader.in_process import InProcessReader
from sheka.equipment.card_reader.psam import PsamSession
from sheka.equipment.card_reader.purchase import Purchased, settle
from sheka.equipment.card_reader.session import CardSession
from sheka.equipment.encryption_machine.model import Usage
from sheka.equipment.initialisation.drawer import ChipDrawer
from sheka.equipment.initialisation.machine_keys import MachineKeys
from sheka.equipment.initialisation.order import ChipOrder, historical_bytes
from sheka.equipment.initialisation.personalise import personalise
from sheka.foundation.chip.holder import HolderData
from sheka.foundation.chip.profile import load_profile
from sheka.foundation.chip.sample import SampleKeys, sample_holder
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.iso8583 import chip_data
from sheka.foundation.numbers import CardIdentificationCode
from sheka.foundation.refusals import Code
from sheka.systems.cards.models import Card
from sheka.systems.keys.models import Key
from sheka.systems.transactions.line_client import chip_data_of
from sheka.systems.transactions.line_models import TerminalFault
from sheka.systems.transactions.models import Transaction
from sheka.systems.transactions.terminal import Asked, Purchase, Terminal
from sheka.systems.transactions.verb_models import Abnormal

__all__ = ["city_keys", "drawer", "in_use", "maker", "psams"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("C1"), pytest.mark.req("S4")]
FIRST, PIN = "460100000001", "802345"


@pytest.fixture(scope="module")
def chips(tmp_path_factory) -> ChipDrawer:
    """Blank chips."""
    found = ChipDrawer(tmp_path_factory.mktemp("chips") / "chips", sync=False)
    found.maker.name = "maker-of-cards"
    return found


@pytest.fixture
def transport(chips, bank, haikou_machine) -> dict[Algorithm, str]:
    """The maker's transport keys in the city's machine, which stands as long as the module."""
    maker = chips.maker
    there = {key.name: key.ref for key in haikou_machine.list_keys() if key.owner == maker.name}
    if all(peer.name != maker.name for peer in haikou_machine.peers()):
        haikou_machine.register_peer(maker.name, maker.public_key, maker.name)
    for algorithm in Algorithm:
        name = maker.key_name(algorithm)
        if name not in there:
            envelope = maker.envelope(algorithm, haikou_machine.public_key())
            there[name] = haikou_machine.import_envelope(envelope, maker.public_key, name=name, owner=maker.name).ref
    return {algorithm: there[maker.key_name(algorithm)] for algorithm in Algorithm}


class Desk:
    """A counter with a card in one reader and its PSAM in the other. `holder`: the card's row."""

    def __init__(self, chip, serial: str, drawer, holder: Card) -> None:
        self._chip, self._serial, self._drawer, self.holder = chip, serial, drawer, holder

    def sign(self, purchase: Purchase, amounts: tuple[int, int, int] | None = None) -> Purchased:
        """Card and PSAM do the purchase of a message that is not sent yet."""
        time = bytes.fromhex(f"{purchase.at:%Y%m%d%H%M%S}")
        with CardSession(InProcessReader(self._chip)) as card, PsamSession(self._drawer.reader(self._serial)) as psam:
            card.select_sse()
            card.verify_pin(PIN)
            return settle(card, psam, amounts or (0, purchase.amount, purchase.amount), time)

    def signed(self, purchase: Purchase) -> Purchase:
        return replace(purchase, chip_data=chip_data_of(self.sign(purchase)))


@pytest.fixture
def desk(bank, in_use, drawer, chips, transport, haikou_machine):
    """desk(card) → a counter where that card of the bank was personalised with two versions of the city's keys; the
    PSAM was loaded before there was a second one.
    """
    serial = in_use()

    def make(card: Card, algorithm: Algorithm = Algorithm.SM4) -> Desk:
        profile = load_profile()
        references = _city_references(haikou_machine, profile, algorithm)
        number = int(card.number[1:8])
        first12 = CardIdentificationCode.part_to_sign(CITY, number)
        historical = historical_bytes(profile, CITY, first12[8:])
        factor = profile.card_factor(historical)
        (code,) = haikou_machine.card_authentication_codes(references["IRK", 2], [factor], [first12])
        sample = sample_holder(profile, SampleKeys(algorithm))
        issuer = {
            **dict(sample.files["SSSE/EF05"]),
            "identification_code": CardIdentificationCode.make(CITY, number, code).text,
            "card_number": card.number,
        }
        order = ChipOrder(HolderData(historical, {**sample.files, "SSSE/EF05": issuer}), algorithm, (1, 2))
        chips.manufacture(1, algorithm)
        drawn = chips.take(algorithm)
        personalise(
            InProcessReader(drawn.card), order, MachineKeys(haikou_machine, references, factor, transport[algorithm])
        )
        with CardSession(InProcessReader(drawn.card)) as session:
            session.select_sse()
            session.change_pin("123456", PIN)
        Card.objects.filter(pk=card.pk).update(factor=factor.hex().upper(), key_version=2, algorithm=int(algorithm))
        card.refresh_from_db()
        return Desk(drawn.card, serial, drawer, card)

    return make


def _city_references(machine, profile, algorithm: Algorithm) -> dict[tuple[str, int], str]:
    """Every key of the profile in two versions; those that the switch asks for stand in the city's list of keys."""
    held = Key.objects.filter(organisation_id=CITY, algorithm=int(algorithm), state="active")
    found = {(key.name, key.version): key.reference for key in held}
    there = {(key.name, key.version): key for key in machine.list_keys()}
    for key in profile.keys:
        for version in (1, 2):
            if (key.name, version) in found:
                continue
            usage = Usage.MAC if str(key.purpose) in MAC else Usage.AUTHENTICATE
            name = f"CARD-{key.name}.{algorithm.name}"
            info = there.get((name, version)) or machine.generate(
                name, algorithm, usage, version, CITY, diversified=usage is Usage.MAC
            )
            found[key.name, version] = info.ref
            if key.name in ("DTK", "DPK"):
                Key.objects.create(
                    organisation_id=CITY,
                    name=key.name,
                    algorithm=int(algorithm),
                    version=version,
                    usage=str(usage),
                    owner_level="ministry",
                    reference=info.ref,
                    check_value=info.check_value,
                    origin="imported",
                    state="active",
                    since=timezone.now(),
                )
    return found


def _broken(data: bytes, tag: int) -> bytes:
    """Field 55 with one bit of a value changed."""
    items = chip_data.unpack(data)
    return chip_data.pack([(one, bytes([value[0] ^ 1]) + value[1:] if one == tag else value) for one, value in items])


@pytest.mark.req("H4")
@pytest.mark.req("K8")
@pytest.mark.parametrize("algorithm", list(Algorithm), ids=lambda one: one.name)
def test_what_card_and_psam_signed_is_verified_in_the_machine_and_pays_once(switch, bank, desk, algorithm):
    counter = desk(bank.cards[0], algorithm)
    card = counter.holder.number
    with Terminal(switch.host, switch.port, FIRST, HOSPITAL, bank.mac) as terminal:
        bought = terminal.new_purchase(card, 1_250)
        done = counter.sign(bought, (0, 2_000, 1_250))
        assert (done.key_version, done.tac_version) == (1, 2), "the card signs with its newest DTK, the PSAM has DPK/1"
        bought = replace(bought, chip_data=chip_data_of(done))
        first = terminal.send_purchase(bought)
        assert (first.response_code, first.refusal) == ("00", 0)
        assert terminal.send_purchase(bought, repeat=True).received == first.received, "its own repeat is no replay"

        replay = replace(bought, stan=terminal.new_purchase(card, 1).stan)
        refused = terminal.send_purchase(replay)
        assert (refused.response_code, refused.refusal) == ("94", Code.OFFLINE_NUMBER_USED.value)
        assert terminal.send_purchase(replay, repeat=True).received == refused.received
        told = replace(replay, stan=terminal.new_purchase(card, 1).stan, asked=Asked.PURCHASE_ADVICE)
        assert terminal.send_purchase(told).refusal == Code.OFFLINE_NUMBER_USED.value, "nor told afterwards"
        assert terminal.send_purchase(told, repeat=True).refusal == Code.OFFLINE_NUMBER_USED.value

        for tag in (chip_data.CRYPTOGRAM, chip_data.MAC1):
            next_one = counter.signed(terminal.new_purchase(card, 10))
            forged = replace(next_one, chip_data=_broken(next_one.chip_data, tag))
            wrong = terminal.send_purchase(forged)
            assert (wrong.response_code, wrong.refusal) == ("63", Code.CRYPTOGRAM_WRONG.value)
            again = replace(next_one, stan=terminal.new_purchase(card, 1).stan)
            assert terminal.send_purchase(again).approved, "a forgery uses nobody's number up"
        advice = terminal.new_request(Asked.PURCHASE_ADVICE, card, 30)
        assert terminal.send_purchase(counter.signed(advice)).approved, "done while the line was away"
        forged = counter.signed(terminal.new_request(Asked.PURCHASE_ADVICE, card, 30))
        forged = replace(forged, chip_data=_broken(forged.chip_data, chip_data.CRYPTOGRAM))
        assert terminal.send_purchase(forged).refusal == Code.CRYPTOGRAM_WRONG.value, "a told purchase is verified too"

        assert terminal.reversal(bought).approved
        late = replace(bought, stan=terminal.new_purchase(card, 1).stan)
        assert terminal.send_purchase(late).refusal == Code.OFFLINE_NUMBER_USED.value, (
            "taken back, it is used all the same"
        )
    print(switch.stop())
    rows = Abnormal.objects.filter(kind="replay").order_by("id")
    assert [row.stan for row in rows] == [replay.stan, told.stan, late.stan], "each is told once"
    assert rows[0].facts["first_stan"] == bought.stan
    assert rows[0].facts["amount"] == 1_250
    assert rows[0].facts["transaction"] == Transaction.objects.get(stan=bought.stan, kind=1).pk
    assert not Abnormal.objects.filter(kind="advice_refused", stan=told.stan).exists(), (
        "nobody is to be paid for a replay"
    )
    assert TerminalFault.objects.get(kind="proof").times == 3
    assert bank.balance() == 100_000 - 20 - 30
    bank.assert_ledger_holds()


@pytest.mark.req("S10")
@pytest.mark.req("C2")
def test_a_declined_purchase_may_be_tried_again_and_of_many_at_once_one_pays(bank, desk):
    counter = desk(bank.cards[1])
    card = counter.holder.number
    with _two_switches() as switches, plain_mac(bank) as mac:
        with Terminal(switches[0].host, switches[0].port, FIRST, HOSPITAL, mac) as terminal:
            dear = counter.signed(terminal.new_purchase(card, 100_500))
            assert terminal.send_purchase(dear).refusal == Code.BALANCE_INSUFFICIENT.value
            bank.pay_in(1_000, bank.accounts[1])
            once_more = replace(dear, stan=terminal.new_purchase(card, 1).stan)
            assert terminal.send_purchase(once_more).approved, "its number was given up"
            declined = terminal.send_purchase(dear, repeat=True)
            assert declined.refusal == Code.BALANCE_INSUFFICIENT.value, "a decline stays declined"
            signed = counter.signed(terminal.new_purchase(card, 10))

        def send(place: int) -> int:
            switch = switches[place % 2]
            with Terminal(switch.host, switch.port, FIRST, HOSPITAL, mac) as other:
                return other.send_purchase(replace(signed, stan=500 + place)).refusal

        with ThreadPoolExecutor(12) as pool:
            found = Counter(pool.map(send, range(24)))
    assert found == {0: 1, Code.OFFLINE_NUMBER_USED.value: 23}
    assert Abnormal.objects.filter(kind="replay").count() == 23
    assert bank.balance(1) == 101_000 - 100_500 - 10
    bank.assert_ledger_holds()


@contextmanager
def _two_switches() -> Iterator[list[SwitchProcess]]:
    made = [SwitchProcess(), SwitchProcess()]
    try:
        yield made
    finally:
        for one in made:
            print(one.stop())
