"""A card in use gets the next version of its keys over the reader; the old one works until it is retired (K2, H4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from sheka.equipment.card_reader.in_process import InProcessReader
from sheka.equipment.card_reader.rekeying import rekey, retire
from sheka.equipment.card_reader.session import CardSession
from sheka.equipment.encryption_machine.model import Usage
from sheka.equipment.initialisation.drawer import DrawnChip
from sheka.equipment.initialisation.machine_keys import MachineKeys
from sheka.equipment.initialisation.personalise import personalise
from sheka.foundation.chip.declarations import Purpose
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused

MACS = {Purpose.MAC, Purpose.PURCHASE, Purpose.TAC, Purpose.LOAD, Purpose.AMOUNT}


@dataclass
class Issued:
    """A finished card: its chip, and the machine with versions 1 to 3 of its city's keys."""

    chip: DrawnChip
    keys: MachineKeys

    @property
    def serial(self) -> bytes:
        return bytes.fromhex(self.chip.serial)

    def session(self) -> CardSession:
        return CardSession(InProcessReader(self.chip.card))

    def rekey(self, version: int):
        with self.session() as session:
            return rekey(session, self.keys, version, chip_serial=self.serial)

    def works_with(self, version: int) -> bool:
        """Whether every key of the version does its work."""
        with self.session() as session:
            session.select_sse()
            answers = []
            for key in session.profile.keys:
                if key.purpose.authenticates_externally:
                    of = lambda challenge, key=key: self.keys.read_cryptogram(key, version, challenge)  # noqa: E731
                    try:
                        session.external_authenticate(key.name, of, version=version)
                        answers.append(True)
                    except Refused:
                        answers.append(False)
            assert len(set(answers)) == 1, "a card never has a version of some keys only"
            return answers[0]


@pytest.fixture(scope="module")
def references(city) -> dict[Algorithm, dict[tuple[str, int], str]]:
    """Version 1 as the city has it, and versions 2 and 3."""
    found = {}
    for algorithm in Algorithm:
        found[algorithm] = dict(city.references[algorithm])
        for version in (2, 3):
            for key in city.profile.keys:
                usage = Usage.MAC if key.purpose in MACS else Usage.AUTHENTICATE
                name = f"{key.name}-{algorithm.name}"
                made = city.machine.generate(name, algorithm, usage, version, owner="460100", diversified=True)
                found[algorithm][key.name, version] = made.ref
    return found


@pytest.fixture
def issue(city, references) -> Callable[..., Issued]:
    """issue(algorithm) → a card made with version 1."""

    def make(algorithm: Algorithm = Algorithm.SM4) -> Issued:
        order = city.order(algorithm)
        city.drawer.manufacture(1, algorithm)
        chip = city.drawer.take(algorithm)
        personalise(InProcessReader(chip.card), order, city.keys(order))
        return Issued(chip, replace(city.keys(order), references=references[algorithm]))

    return make


def refusal(verb: Callable[[], object]) -> Refused:
    with pytest.raises(Refused) as caught:
        verb()
    return caught.value


@pytest.mark.req("K2", "H4")
@pytest.mark.parametrize("algorithm", list(Algorithm), ids=lambda each: each.name)
def test_a_new_version_works_beside_the_old_until_that_is_retired(issue, algorithm) -> None:
    card = issue(algorithm)
    done = card.rekey(2)
    assert (done.before, done.version, done.keys) == (1, 2, 53)
    assert card.works_with(1) and card.works_with(2)
    assert card.rekey(2).keys == 0, "a repeated call changes nothing"
    assert card.rekey(3).keys == 53
    with card.session() as session:
        retire(session, card.keys, 1, chip_serial=card.serial)
    assert (card.works_with(1), card.works_with(2), card.works_with(3)) == (False, True, True)
    with card.session() as session:
        session.select_sse()
        session.change_pin("123456", "802345")
        assert session.state().key_version == 3


@pytest.mark.req("K2")
def test_a_version_out_of_turn_is_refused_and_changes_nothing(issue) -> None:
    card = issue()
    for version in (3, 0, 4):
        assert refusal(lambda version=version: card.rekey(version)).code is Code.CARD_REKEY_VERSION
    with card.session() as session:
        for version in (1, 2, 0):
            wrong = refusal(lambda v=version, s=session: retire(s, card.keys, v, chip_serial=card.serial))
            assert wrong.code is Code.CARD_REKEY_VERSION
    card.rekey(2)
    card.rekey(3)
    assert refusal(lambda: card.rekey(4)).code is Code.CARD_REKEY_VERSION
    assert card.works_with(1)


@pytest.mark.req("K2")
def test_who_lacks_the_issuers_key_or_the_transport_key_rekeys_nothing(issue, city) -> None:
    card, other = issue(), issue()
    stranger = replace(card.keys, factor=other.keys.factor)
    with card.session() as session:
        wrong = refusal(lambda: rekey(session, stranger, 2, chip_serial=card.serial))
    assert wrong.code is Code.CARD_KEY_REFUSED
    with card.session() as session:
        wrong = refusal(lambda: rekey(session, card.keys, 2, chip_serial=other.serial))
    assert (wrong.code, wrong.facts["status"]) == (Code.CARD_REKEY_CLOSED, "63C4")
    assert not card.works_with(2)
    assert card.rekey(2).keys == 53


class CutReader(InProcessReader):
    """The power fails before command number `left` of the conversation."""

    def __init__(self, card, left: int) -> None:
        super().__init__(card)
        self._left = left

    def transmit(self, apdu: bytes) -> bytes:
        if self._left == 0:
            self.disconnect()
        self._left -= 1
        return super().transmit(apdu)


@pytest.mark.req("K2")
def test_power_cut_anywhere_leaves_a_card_with_the_old_version_or_with_both(issue) -> None:
    card, cut, seen = issue(), 0, set()
    while True:
        with CardSession(CutReader(card.chip.card, cut)) as session:
            try:
                rekey(session, card.keys, 2, chip_serial=card.serial)
                break
            except Refused as refused:
                assert refused.code is Code.READER_CARD_LOST, cut
        assert card.works_with(1)
        seen.add(card.works_with(2))
        if True in seen:
            assert card.rekey(2).keys == 0
            break
        cut += 7
    assert card.works_with(1) and card.works_with(2)


@pytest.mark.req("K2")
def test_an_incomplete_or_replayed_set_is_not_taken(issue) -> None:
    card = issue()

    class Fewer(MachineKeys):
        """A machine that forgets the last key."""

        def wrapped_keys(self, chip_serial, challenge, wanted):
            self.recorded.extend(super().wrapped_keys(chip_serial, challenge, wanted))
            return [self.recorded[0]] * len(wanted)

    recorded: list[bytes] = []
    fewer = Fewer(card.keys.machine, card.keys.references, card.keys.factor, card.keys.transport)
    object.__setattr__(fewer, "recorded", recorded)
    with card.session() as session:
        wrong = refusal(lambda: rekey(session, fewer, 2, chip_serial=card.serial))
    assert wrong.code is Code.CARD_ANSWERED
    assert not card.works_with(2)

    class Replayed(MachineKeys):
        """Somebody who recorded the keys of an earlier session."""

        def wrapped_keys(self, chip_serial, challenge, wanted):
            return recorded

    replayed = Replayed(card.keys.machine, card.keys.references, card.keys.factor, card.keys.transport)
    with card.session() as session:
        wrong = refusal(lambda: rekey(session, replayed, 2, chip_serial=card.serial))
    assert (wrong.code, wrong.facts["status"]) == (Code.CARD_ANSWERED, "9302")
    assert not card.works_with(2)


def test_a_card_whose_new_keys_do_not_answer_is_told(issue) -> None:
    card = issue()

    class Lying(MachineKeys):
        def internal_answer(self, version, source):
            return bytes(8)

    lying = Lying(card.keys.machine, card.keys.references, card.keys.factor, card.keys.transport)
    with card.session() as session:
        assert refusal(lambda: rekey(session, lying, 2, chip_serial=card.serial)).code is Code.CARD_REKEY_UNPROVED
