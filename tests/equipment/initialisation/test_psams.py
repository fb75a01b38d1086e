"""PSAMs loaded by a real machine, at work with real cards: proofs both ways and a whole purchase (K8, H4, C1)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from sheka.equipment.card_reader import vpcd
from sheka.equipment.card_reader.in_process import InProcessReader
from sheka.equipment.card_reader.pcsc import PcscReader
from sheka.equipment.card_reader.psam import KeyToLoad, PsamSession
from sheka.equipment.card_reader.purchase import proof_of, settle
from sheka.equipment.card_reader.reader import Reader
from sheka.equipment.card_reader.session import CardSession
from sheka.equipment.encryption_machine.client import EncryptionMachine
from sheka.equipment.encryption_machine.model import Usage
from sheka.equipment.initialisation.carrier_drawer import CarrierDrawer
from sheka.equipment.initialisation.device_keys import MachinePsamKeys, psam_keys, take_in
from sheka.equipment.initialisation.personalise import personalise
from sheka.foundation.chip.card import VirtualCard
from sheka.foundation.chip.devices.profile import Level, Mode
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused

PROVINCE, CITY, TERMINAL = "460000", "460100", "460100000001"
NAMES = ("IRK", "RK1DF01", "RKSSSE", "UK4DF01", "STK", "DPK", "DTK")
MACS = {"STK", "DPK", "DTK"}
PIN, TIME = "802345", bytes.fromhex("20261122093000")
LEVELS = list(Level)


@dataclasses.dataclass
class Hierarchy:
    """Keys of three levels in one machine: what each level's machine would hold."""

    machine: EncryptionMachine
    references: dict[tuple[str, Algorithm, Level], str]
    cards: dict[Algorithm, VirtualCard]
    factors: dict[Algorithm, bytes]


@pytest.fixture(scope="module")
def hierarchy(city) -> Hierarchy:
    """Roots that may be loaded into a national PSAM, their sub-keys, and a card of either algorithm made with them."""
    machine, profile, found = city.machine, city.profile, {}
    for algorithm in Algorithm:
        for name in NAMES:
            root = machine.generate(
                f"{name}.{algorithm.name}", algorithm, Usage.DIVERSIFY, owner="000000", movable=True
            )
            province = machine.derive(root.ref, profile.region_factor(PROVINCE), owner=PROVINCE)
            usage = Usage.MAC if name in MACS else Usage.AUTHENTICATE
            last = machine.derive(province.ref, profile.region_factor(CITY), owner=CITY, usage=usage)
            for level, info in ((Level.ROOT, root), (Level.PROVINCE, province), (Level.CITY, last)):
                found[name, algorithm, level] = info.ref
    cards, factors = {}, {}
    for algorithm in Algorithm:
        own = {(name, 1): found[name, algorithm, Level.CITY] for name in NAMES}
        there = dataclasses.replace(city, references={algorithm: {**city.references[algorithm], **own}}, last=700)
        order = there.order(algorithm)
        drawn = city.drawer.manufacture(1, algorithm)
        chip = city.drawer.take(algorithm)
        assert drawn
        personalise(InProcessReader(chip.card), order, there.keys(order))
        cards[algorithm], factors[algorithm] = chip.card, order.factor(profile)
        with CardSession(InProcessReader(chip.card)) as session:
            session.select_sse()
            session.change_pin("123456", PIN)
    return Hierarchy(machine, found, cards, factors)


@pytest.fixture(scope="module")
def drawer(city, tmp_path_factory: pytest.TempPathFactory) -> CarrierDrawer:
    found = CarrierDrawer(tmp_path_factory.mktemp("psams") / "carriers", sync=False)
    found.maker.name = "maker-of-psams"
    take_in(city.machine, found.maker)
    return found


@pytest.fixture(scope="module")
def keys(city, drawer: CarrierDrawer) -> MachinePsamKeys:
    return psam_keys(city.machine, drawer.maker.name)


@pytest.fixture
def loaded(hierarchy: Hierarchy, drawer: CarrierDrawer, keys: MachinePsamKeys) -> Callable[[Level], str]:
    """loaded(level) → the serial of a PSAM that holds every key of both algorithms at that level."""

    def make(level: Level) -> str:
        (serial,) = drawer.manufacture("psam", 1)
        held = [name for name in NAMES if name != "DTK"]
        with PsamSession(drawer.reader(serial)) as psam:
            orders = [KeyToLoad(n, 1, a, level, hierarchy.references[n, a, level]) for n in held for a in Algorithm]
            psam.load_keys(keys, orders)
            psam.bind_terminal(keys, TERMINAL)
        return serial

    return make


def refusal(verb: Callable[[], object]) -> Refused:
    with pytest.raises(Refused) as caught:
        verb()
    return caught.value


def work(card_reader: Reader, psam_reader: Reader, hierarchy: Hierarchy, algorithm: Algorithm) -> bytes:
    """Everything that a terminal does with a card and its PSAM; the terminal sequence of its purchase."""
    with CardSession(card_reader) as card, PsamSession(psam_reader) as psam:
        assert psam.internal_authentication_of(card), "nothing was selected before"
        assert card.algorithm is algorithm
        psam.external_authentication_of(card, "RKSSSE")
        assert len(card.read("SSSE/EF07")) == 0x300
        psam.external_authentication_of(card, "RK1DF01")
        assert card.read("DF01/EF05")["household_region"] == "460106"
        assert psam.internal_authentication_of(card), "in another application"
        card.update_item("DF01/EF06", "phone", "0898-11112222", mac_of=psam.mac_of(card, "UK4DF01"))
        card.verify_pin(PIN)
        done = settle(card, psam, (0, 1250, 1000), TIME)
        mac2, tac = proof_of(card, done.card_sequence)
    machine, factor = hierarchy.machine, hierarchy.factors[algorithm]
    key = hierarchy.references["DTK", algorithm, Level.CITY]
    assert tac == done.tac
    assert machine.verify_tacs(key, [factor], [done.settlement], [done.terminal_sequence], [done.tac]) == [True]
    assert len(mac2) == 4
    return done.terminal_sequence


@pytest.mark.req("K8", "H4", "C1")
@pytest.mark.parametrize("algorithm", list(Algorithm), ids=lambda each: each.name)
@pytest.mark.parametrize("level", LEVELS, ids=lambda each: each.name)
def test_a_terminal_works_with_a_psam_of_any_level(
    hierarchy: Hierarchy, drawer: CarrierDrawer, loaded: Callable[[Level], str], level: Level, algorithm: Algorithm
) -> None:
    serial = loaded(level)
    first = work(InProcessReader(hierarchy.cards[algorithm]), drawer.reader(serial), hierarchy, algorithm)
    second = work(InProcessReader(hierarchy.cards[algorithm]), drawer.reader(serial), hierarchy, algorithm)
    assert [int.from_bytes(each, "big") for each in (first, second)] == [1, 2]


@pytest.mark.req("K8", "H4")
@pytest.mark.parametrize("algorithm", list(Algorithm), ids=lambda each: each.name)
def test_the_same_through_pcscd_with_the_psam_in_the_second_slot(
    hierarchy: Hierarchy,
    drawer: CarrierDrawer,
    loaded: Callable[[Level], str],
    pcsc_port: int,
    algorithm: Algorithm,
) -> None:
    serial = loaded(Level.PROVINCE)
    with (
        vpcd.insert(hierarchy.cards[algorithm], port=pcsc_port),
        vpcd.insert(drawer.chip(serial), port=pcsc_port + 1),
    ):
        assert work(PcscReader(0), PcscReader(1), hierarchy, algorithm) == bytes.fromhex("00000001")
        answers = opensc(1, "00B095000A", "00B0960006", "80CA010206", "00FE0000")
    assert answers == [(serial, "9000"), (TERMINAL, "9000"), ("01000000010C", "9000"), ("", "6D00")]


def opensc(reader: int, *apdus: str) -> list[tuple[str, str]]:
    """(data, status word) of each APDU that opensc-tool sends to a reader."""
    import re
    import subprocess

    argv = ["opensc-tool", "-r", str(reader)]
    for apdu in apdus:
        argv += ["-s", apdu]
    done = subprocess.run(argv, capture_output=True, timeout=30, check=True)
    answers = []
    for part in done.stdout.decode("ascii", "replace").split("Received (")[1:]:
        status = re.match(r"SW1=0x(..), SW2=0x(..)\)", part)
        assert status is not None
        rows = part.split("Sending:")[0].splitlines()[1:]
        octets = [re.match(r"(?:[0-9A-F]{2} ){0,16}", row) for row in rows]
        answers.append(("".join(row[0] for row in octets if row).replace(" ", ""), status[1] + status[2]))
    return answers


@pytest.mark.req("K8")
def test_it_says_what_it_holds_with_the_machines_check_values(
    hierarchy: Hierarchy, drawer: CarrierDrawer, loaded: Callable[[Level], str]
) -> None:
    with PsamSession(drawer.reader(loaded(Level.PROVINCE))) as psam:
        found = psam.information()
    assert (found.terminal, found.counter, len(found.keys)) == (TERMINAL, 0, 12)
    for key in found.keys:
        info = hierarchy.machine.key(hierarchy.references[key.name, key.algorithm, Level.PROVINCE])
        assert (key.level, key.check_value) == (Level.PROVINCE, info.check_value)


@pytest.mark.req("K8")
def test_the_wrong_number_of_factors_and_what_it_lacks_are_refused_by_name(
    hierarchy: Hierarchy, drawer: CarrierDrawer, keys: MachinePsamKeys, loaded: Callable[[Level], str]
) -> None:
    with PsamSession(drawer.reader(loaded(Level.CITY))) as psam:
        assert refusal(lambda: psam.delivery_key("RK1DF01", [bytes(8)] * 2, Algorithm.SM4)).code is Code.PSAM_FACTORS
        absent = (
            lambda: psam.delivery_key("RK1DF02", [bytes(8)], Algorithm.SM4),
            lambda: psam.key("RK1DF01", Algorithm.SM4, 2),
            lambda: psam.remove_key(keys, "RK1DF02", 1, Algorithm.SM4),
        )
        for verb in absent:
            assert refusal(verb).code is Code.PSAM_KEY_ABSENT
        assert refusal(lambda: psam.cipher_data(Mode.EXTERNAL, bytes(16))).code is Code.CARD_ANSWERED
        psam.remove_key(keys, "RK1DF01", 1, Algorithm.SM4)
        assert refusal(lambda: psam.key("RK1DF01", Algorithm.SM4)).code is Code.PSAM_KEY_ABSENT
        assert psam.key("RK1DF01", Algorithm.TDES).version == 1
        psam.erase(keys)
        assert psam.information().keys == ()


@pytest.mark.req("K8")
def test_another_machine_cannot_load_it_and_a_root_that_stays_is_not_loaded(
    hierarchy: Hierarchy, drawer: CarrierDrawer, keys: MachinePsamKeys, city, tmp_path
) -> None:
    stranger = CarrierDrawer(tmp_path / "stranger", sync=False)
    stranger.maker.name = "stranger-of-psams"
    take_in(city.machine, stranger.maker)
    (serial,) = drawer.manufacture("psam", 1)
    stays = city.machine.generate("STAYS", Algorithm.SM4, Usage.DIVERSIFY, owner="000000")
    with PsamSession(drawer.reader(serial)) as psam:
        wrong = psam_keys(city.machine, "stranger-of-psams")
        assert refusal(lambda: psam.bind_terminal(wrong, TERMINAL)).code is Code.PSAM_TRANSPORT
        order = KeyToLoad("RK1DF01", 1, Algorithm.SM4, Level.ROOT, stays.ref)
        assert refusal(lambda: psam.load_keys(keys, [order])).code is Code.MACHINE_KEY_STAYS
        assert refusal(lambda: psam.bind_terminal(keys, "46010000000X")).code is Code.CHIP_FORMULA_INPUT
        assert psam.information().keys == ()


@pytest.mark.req("C1", "K8")
def test_a_copied_card_fails_before_the_psam_and_wrong_proofs_lock_it(
    hierarchy: Hierarchy, drawer: CarrierDrawer, loaded: Callable[[Level], str], city
) -> None:
    other = city.order(Algorithm.SM4)
    city.drawer.manufacture(1, Algorithm.SM4)
    chip = city.drawer.take(Algorithm.SM4)
    personalise(InProcessReader(chip.card), other, city.keys(other))  # another city's keys: not those of the PSAM
    with CardSession(InProcessReader(chip.card)) as card, PsamSession(drawer.reader(loaded(Level.CITY))) as psam:
        card.select_sse()
        assert not psam.internal_authentication_of(card)
        wrong = refusal(lambda: psam.external_authentication_of(card, "RKSSSE"))
        assert (wrong.code, wrong.facts["status"]) == (Code.CARD_KEY_REFUSED, "63CE")
        card.change_pin("123456", PIN)
        card.verify_pin(PIN)
        failed = refusal(lambda: settle(card, psam, (0, 1, 1), TIME))
        assert (failed.code, failed.facts["status"]) == (Code.CARD_ANSWERED, "9302")


@pytest.mark.req("K8")
def test_three_wrong_proofs_lock_the_psam_for_good(
    hierarchy: Hierarchy, drawer: CarrierDrawer, loaded: Callable[[Level], str]
) -> None:
    class Lying(InProcessReader):
        """A card whose proof is changed on the way."""

        def transmit(self, apdu: bytes) -> bytes:
            answer = super().transmit(apdu)
            return bytes([answer[0] ^ 1]) + answer[1:] if apdu[1] == 0x54 else answer

    serial = loaded(Level.CITY)
    codes = []
    for _ in range(4):
        with (
            CardSession(Lying(hierarchy.cards[Algorithm.SM4])) as card,
            PsamSession(drawer.reader(serial)) as psam,
        ):
            card.select_sse()
            card.verify_pin(PIN)
            codes.append(refusal(lambda card=card, psam=psam: settle(card, psam, (0, 5, 5), TIME)).code)
    assert codes == [Code.PSAM_MAC2, Code.PSAM_MAC2, Code.PSAM_LOCKED, Code.PSAM_LOCKED]


def test_a_psam_of_another_terminal_or_of_none_begins_no_purchase(
    hierarchy: Hierarchy, drawer: CarrierDrawer, keys: MachinePsamKeys, loaded: Callable[[Level], str]
) -> None:
    from sheka.foundation.chip.authentication import Settlement

    with PsamSession(drawer.reader(loaded(Level.CITY))) as psam:
        other = Settlement((0, 1, 1), bytes.fromhex("460100000099"), TIME)
        asked = lambda: psam.init_for_purchase(  # noqa: E731
            other, random=bytes(4), sequence=bytes(2), version=1, algorithm=Algorithm.SM4, factors=[bytes(8)]
        )
        assert refusal(asked).code is Code.PSAM_TERMINAL
        psam.erase(keys)
        with CardSession(InProcessReader(hierarchy.cards[Algorithm.SM4])) as card:
            card.select_sse()
            assert refusal(lambda: settle(card, psam, (0, 1, 1), TIME)).code is Code.PSAM_TERMINAL


def test_a_card_in_the_psams_slot_is_no_psam(hierarchy: Hierarchy) -> None:
    session = PsamSession(InProcessReader(hierarchy.cards[Algorithm.SM4]))
    assert refusal(session.open).code is Code.PSAM_NOT_ONE


class Answering(InProcessReader):
    """A thing with a PSAM's ATR that answers as it likes."""

    def __init__(self, chip, answers: dict[str, str]) -> None:
        super().__init__(chip)
        self.answers = answers

    def transmit(self, apdu: bytes) -> bytes:
        for begin, answer in self.answers.items():
            if apdu.hex().startswith(begin.lower()):
                return bytes.fromhex(answer)
        return super().transmit(apdu)


@pytest.mark.parametrize(
    "answers",
    [
        {"80CA0102": "00009000"},
        {"80CA0103": "00" * 8 + "9000"},
        {"80CA0102": "0000000000019000", "80CA0103": "EE0101010311223344" + "9000"},
        {"80CA0102": "0000000000019000", "80CA0103": "1C0107010311223344" + "9000"},
        {"00B095": "11229000"},
        {"0084": "11229000"},
        {"8070": "11229000", "00B096": TERMINAL + "9000"},
    ],
)
def test_malformed_answers_of_a_psam_are_refused(drawer: CarrierDrawer, keys: MachinePsamKeys, answers) -> None:
    from sheka.foundation.chip.authentication import Settlement

    (serial,) = drawer.manufacture("psam", 1)
    sale = Settlement((0, 1, 1), bytes.fromhex(TERMINAL), TIME)

    def everything() -> None:
        with PsamSession(Answering(drawer.chip(serial), answers)) as psam:
            psam.information()
            if "0084" in answers:
                psam.erase(keys)
            psam.init_for_purchase(
                sale, random=bytes(4), sequence=bytes(2), version=1, algorithm=Algorithm.SM4, factors=[bytes(8)]
            )

    assert refusal(everything).code is Code.CARD_DATA_MALFORMED
