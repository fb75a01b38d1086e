"""Real chips: made with the keys of a real machine, read back, activated, found false, found broken (H3, C1, R7)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sheka.equipment.card_reader.in_process import InProcessReader
from sheka.equipment.card_reader.session import CardSession
from sheka.foundation.chip.card import VirtualCard
from sheka.foundation.chip.personalisation import personalisation_steps
from sheka.foundation.chip.profile import load_profile
from sheka.foundation.chip.sample import SampleKeys, blank_chip, sample_holder
from sheka.foundation.chip.steps import carry_out
from sheka.foundation.chip.storage import MemoryStorage
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code
from sheka.office.audit.models import Event
from sheka.systems.cards.actions.activate_card import activate_card
from sheka.systems.cards.actions.check_card import check_card, examine_card
from sheka.systems.cards.actions.hand_out_card import hand_out_card
from sheka.systems.cards.actions.personalise_card import personalise_card, produce_card
from sheka.systems.cards.actions.receive_stock import receive_stock
from sheka.systems.cards.models import Card, Personalisation
from sheka.systems.cards.queries import life_line, stray_chips
from sheka.systems.keys.models import Key

INITIAL, CHOSEN = "123456", "741963"
KINDS = [("3.00", Algorithm.SM4), ("2.00", Algorithm.TDES)]


@pytest.fixture
def at_holder(make, staff, chips):
    """at_holder(...) → a card on a real chip, handed out."""

    def bring(specification="3.00", algorithm=Algorithm.SM4):
        card = produce_card(
            staff["producer"], card=make.numbered(specification=specification, algorithm=algorithm), drawer=chips
        )
        receive_stock(staff["clerk"], cards=[card])
        return hand_out_card(staff["clerk"], card=card, identity=make.identity(card))

    return bring


@pytest.mark.req("H3")
@pytest.mark.parametrize(("specification", "algorithm"), KINDS)
def test_a_chip_becomes_the_card_of_its_holder(make, staff, chips, machine, specification, algorithm):
    card = make.numbered(specification=specification, algorithm=algorithm)
    made = produce_card(staff["producer"], card=card, drawer=chips)
    assert (made.state, made.chip_serial) == ("personalised", chips.serial_of(card.number))
    irk = Key.objects.get(name="IRK", algorithm=algorithm)
    with CardSession(chips.reader(card.number)) as session:
        session.select_sse()
        identity = session.read_public_identity()
        assert identity.card_number.text == card.number
        assert identity.identification_code.text == card.identification_code
        assert identity.specification_version == specification
        assert (identity.issue_date, identity.expiry_date) == (card.issued_on, card.expires_on)
        assert identity.organisation.issuing_region == "460100"
        assert session.factor.hex().upper() == card.factor
        if specification == "3.00":
            reading = Key.objects.get(name="RKSSSE", algorithm=algorithm)
            session.external_authenticate(
                "RKSSSE",
                lambda challenge: machine.external_authentication(reading.reference, [session.factor], [challenge])[0],
            )
        holder = session.read_holder()
        assert (holder.social_security_number, holder.name) == (card.person.social_security_number, card.person.name)
        answer = session.internal_authenticate(session.factor, bytes(8))
    assert [answer] == machine.internal_authentication(irk.reference, [bytes.fromhex(card.factor)], [bytes(8)])
    assert Personalisation.objects.get(card=card).state == "done"


@pytest.mark.parametrize(("specification", "algorithm"), KINDS)
def test_activation_asks_the_card_itself(at_holder, staff, chips, refused, specification, algorithm):
    card = at_holder(specification, algorithm)
    reader = chips.reader(card.number)
    activate = lambda old, new: activate_card(  # noqa: E731
        staff["clerk"], card=card, reader=reader, old_pin=old, new_pin=new
    )
    for easy in (INITIAL, "111111", f"{card.person.birth:%y%m%d}"):
        refused(Code.CARD_PIN_TOO_EASY, lambda easy=easy: activate(INITIAL, easy))
    refused(Code.CARD_PIN_WRONG, lambda: activate("654987", CHOSEN))
    refused(Code.CARD_PIN_WRONG, lambda: activate(CHOSEN, CHOSEN))
    assert activate(INITIAL, CHOSEN).state == "active"
    with CardSession(reader) as session:
        session.verify_pin(CHOSEN)
    told = "".join(Event.objects.values_list("facts", flat=True)) + str(list(card.events.values_list("facts")))
    assert CHOSEN not in told


def test_a_card_whose_pin_the_holder_changed_elsewhere_is_activated_too(at_holder, staff, chips):
    card = at_holder()
    reader = chips.reader(card.number)
    with CardSession(reader) as session:
        session.select_sse()
        session.change_pin(INITIAL, CHOSEN)
    assert activate_card(staff["clerk"], card=card, reader=reader, old_pin=CHOSEN, new_pin=CHOSEN).was_activated


def test_another_card_in_the_reader_is_not_activated(at_holder, staff, chips, refused):
    first, second = at_holder(), at_holder()
    refused(
        Code.CARD_OTHER_IN_READER,
        lambda: activate_card(
            staff["clerk"], card=first, reader=chips.reader(second.number), old_pin=INITIAL, new_pin=CHOSEN
        ),
    )


@pytest.mark.req("C1")
def test_a_counterfeit_is_found_kept_on_record_and_harms_nobody(at_holder, staff, chips, refused):
    card = at_holder()
    assert check_card(staff["clerk"], reader=chips.reader(card.number)) == card
    forged = InProcessReader(_forged(chips, card.number))
    with pytest.raises(Exception, match="2241"):
        check_card(staff["clerk"], reader=forged)
    line = life_line(card)
    assert [event.kind for event in line][-2:] == ["bad", "now"]
    assert '"genuine":false' in Event.objects.get(event="card.checked", facts__contains="2241").facts
    card.refresh_from_db()
    assert card.state == "handed_out"
    refused(
        Code.CARD_COUNTERFEIT,
        lambda: activate_card(staff["clerk"], card=card, reader=forged, old_pin=INITIAL, new_pin=CHOSEN),
    )


@pytest.mark.req("C1")
def test_a_genuine_chip_with_a_code_that_was_never_issued_is_found(at_holder, staff, chips):
    card, other = at_holder(), at_holder()
    codes = other.identification_code
    Card.objects.filter(pk=other.pk).update(identification_code="0" * 32)
    Card.objects.filter(pk=card.pk).update(identification_code=codes)
    with pytest.raises(Exception, match="4213"):
        check_card(staff["clerk"], reader=chips.reader(card.number))


@pytest.mark.req("R7")
def test_the_reader_s_own_finding_on_a_chip(at_holder, staff, chips):
    card, broken = at_holder(), at_holder()
    finding = examine_card(staff["clerk"], card=card, reader=chips.reader(card.number))
    assert finding.readable and finding.card_number == card.number
    chips.break_chip(broken.number)
    finding = examine_card(staff["clerk"], card=broken, reader=chips.reader(broken.number))
    assert not finding.readable
    assert Event.objects.filter(event="card.examined", subject=broken.subject).count() == 1


def test_a_chip_that_failed_is_on_record_and_the_card_is_made_on_another(make, staff, chips):
    card = make.numbered()
    mute = InProcessReader(_Mute())
    with pytest.raises(Exception, match="220"):
        personalise_card(staff["producer"], card=card, reader=mute)
    card.refresh_from_db()
    attempt = card.personalisations.get()
    assert (card.state, attempt.state, attempt.ended_at is not None) == ("numbered", "failed", True)
    assert [event.kind for event in life_line(card)][:3] == ["done", "done", "bad"]
    assert produce_card(staff["producer"], card=card, drawer=chips).state == "personalised"
    assert list(card.personalisations.values_list("state", flat=True)) == ["failed", "done"]


def test_a_run_that_was_lost_after_the_chip_was_finished_is_taken_up(make, staff, chips, monkeypatch):
    card = make.numbered()
    with monkeypatch.context() as patch, pytest.raises(RuntimeError):
        patch.setattr("sheka.systems.cards.actions.personalise_card.move", _lost)
        produce_card(staff["producer"], card=card, drawer=chips)
    card.refresh_from_db()
    assert (card.state, card.personalisations.get().state) == ("numbered", "started")
    assert [stray.card for stray in stray_chips(staff["producer"])] == [card]
    assert chips.numbers().count(card.number) == 1
    made = produce_card(staff["producer"], card=card, drawer=chips)
    assert made.chip_serial == chips.serial_of(card.number)
    assert card.events.get(event="personalised").facts["resumed"] is True


def test_without_the_keys_of_the_city_no_chip_is_touched(make, staff, chips, refused):
    card = make.numbered()
    blanks = chips.blanks(Algorithm.SM4)
    Key.objects.filter(name="UK7DF01").update(state="planned")
    with pytest.raises(Exception, match="4003"):
        produce_card(staff["producer"], card=card, drawer=chips)
    assert chips.blanks(Algorithm.SM4) == blanks


def _lost(*_args, **_facts):
    raise RuntimeError("the power went")


class _Mute:
    def power_on(self):
        return b""

    def power_off(self):
        pass

    def transmit(self, apdu):
        return b"\x6f\x00"


def _forged(drawer, number) -> VirtualCard:
    """A card that says what the genuine one says, made with keys of the forger's own."""
    profile = load_profile()
    with CardSession(drawer.reader(number)) as session:
        session.select_sse()
        issuer, historical = session.read_file("SSSE/EF05"), session.historical
    keys = SampleKeys(Algorithm.SM4)
    holder = sample_holder(profile, keys)
    holder = replace(holder, historical=historical, files={**holder.files, "SSSE/EF05": issuer})
    forged = blank_chip(MemoryStorage(), profile, Algorithm.SM4)
    forged.power_on()
    carry_out(personalisation_steps(profile, holder, keys, algorithm=Algorithm.SM4), forged.transmit)
    forged.power_off()
    return forged
