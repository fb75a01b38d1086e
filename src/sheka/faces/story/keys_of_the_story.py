"""The keys of the story: made at three levels, carried on transmission key cards, put into use (K1-K3, K5, K6)."""

from __future__ import annotations

from collections.abc import Sequence

from sheka.equipment.card_reader.key_carrier import KeyCarrierSession
from sheka.equipment.initialisation.device_keys import carrier_keys
from sheka.faces.story.carriers import drawer, hand_over
from sheka.faces.story.cast import HAIKOU, HAINAN, MINISTRY, acting
from sheka.faces.story.ceremonies import OFFICES, PIN, hold, hold_asked_for
from sheka.faces.story.stage import Stage, until
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.office.staff.actors import Actor
from sheka.systems.custody.actions.issue_carriers import issue_carriers
from sheka.systems.keys.actions.follow_consignments import clear_carrier
from sheka.systems.keys.actions.import_carrier_keys import import_carrier_keys
from sheka.systems.keys.actions.propose_generation import propose_generation
from sheka.systems.keys.actions.propose_key_step import propose_activation, propose_export
from sheka.systems.keys.actions.register_machine import register_machine, trust_machine
from sheka.systems.keys.machines import machine_of
from sheka.systems.keys.models import Consignment

CARD = "transmission_key_card"


def generate(stage: Stage, place: str, algorithms: Sequence[Algorithm]) -> int:
    """Every key of a level, in its own machine; how many."""
    officer, made = acting(f"{OFFICES[place]}-keys"), 0
    register_machine(officer)
    for algorithm in algorithms:
        held = hold(stage, place, "keys.generate", propose_generation(officer, algorithm=algorithm))
        made += len(held.facts["values"])
    return made


def pass_down(stage: Stage, algorithms: Sequence[Algorithm]) -> None:
    """From the ministry to Hainan and on to Haikou, on one card for each algorithm; there the keys go into use."""
    cards = _cards(stage, algorithms)
    for upper, lower in ((MINISTRY, HAINAN), (HAINAN, HAIKOU)):
        above, below = acting(f"{OFFICES[upper]}-keys"), acting(f"{OFFICES[lower]}-keys")
        trust_machine(above, of=lower, fingerprint=register_machine(below).fingerprint)
        trust_machine(below, of=upper, fingerprint=register_machine(above).fingerprint)
        for algorithm, serial in cards.items():
            proposal = propose_export(above, to=lower, algorithm=algorithm)
            hold(stage, upper, "keys.export", proposal, carrier=serial)
        giver, receiver = f"{OFFICES[upper]}-custodian", f"{OFFICES[lower]}-custodian-2"
        hand_over(stage, list(cards.values()), giver, receiver, "send", "sub-keys to the level below")
        for serial in cards.values():
            _take(stage, upper, lower, serial)
    for algorithm in algorithms:
        hold(stage, HAIKOU, "keys.activate", propose_activation(acting("haikou-keys"), algorithm=algorithm))


def _cards(stage: Stage, algorithms: Sequence[Algorithm]) -> dict[Algorithm, str]:
    """Blank cards issued by the ministry, their PIN changed; every machine can talk to them."""
    made = issue_carriers(acting("ministry-custodian"), kind=CARD, count=len(algorithms))
    here = drawer(stage)
    for office in OFFICES.values():
        import_carrier_keys(acting(f"{office}-keys"), maker=here.maker)
    for carrier in made:
        with KeyCarrierSession(here.reader(carrier.serial), carrier_keys(machine_of(MINISTRY))) as session:
            session.change_pin(session.profile.pin.initial, PIN)
    return {algorithm: carrier.serial for algorithm, carrier in zip(algorithms, made, strict=True)}


def _take(stage: Stage, upper: str, lower: str, serial: str) -> None:
    """The recipient imports, the sender finds the same check values, and the card is empty again."""

    def is_there(place: str, state: tuple[str, ...]) -> bool:
        rows = Consignment.objects.filter(held_by_id=place, sender=upper, carrier=serial, state__in=state)
        return rows.exists()

    until(lambda: is_there(lower, ("loaded", "handed_over", "received")), "the announcement at the lower level")
    held = hold_asked_for(stage, lower, "keys.import", "sub-keys of the superior", carrier=serial)
    until(lambda: is_there(upper, ("acknowledged",)), "matching check values")
    hand = Actor.process(held.key, lower)
    clear_carrier(hand, carrier=serial, reader=drawer(stage).reader(serial), pin=PIN)
