"""The chips of the story: blanks from the maker with its transport key, and what a forger makes of a genuine card."""

from __future__ import annotations

from dataclasses import replace

from sheka.equipment.card_reader.session import CardSession
from sheka.equipment.initialisation.drawer import ChipDrawer
from sheka.faces.story.cast import HAIKOU, acting
from sheka.faces.story.stage import Stage
from sheka.foundation.chip.card import VirtualCard
from sheka.foundation.chip.personalisation import personalisation_steps
from sheka.foundation.chip.profile import load_profile
from sheka.foundation.chip.sample import SampleKeys, blank_chip, sample_holder
from sheka.foundation.chip.steps import carry_out
from sheka.foundation.chip.storage import MemoryStorage
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.systems.keys.actions.import_transport_key import import_transport_key
from sheka.systems.keys.machines import machine_of

BLANKS = {Algorithm.SM4: 220, Algorithm.TDES: 20}


def stock(stage: Stage) -> str:
    """H3: blank chips in the drawer; the maker's transport key reaches the city's machine in an envelope."""
    maker = stage.drawer.maker
    told = []
    for algorithm, count in BLANKS.items():
        stage.drawer.manufacture(count, algorithm)
        key = import_transport_key(
            acting("haikou-keys"),
            maker=maker.name,
            public_key=maker.public_key,
            envelope=maker.envelope(algorithm, machine_of(HAIKOU).public_key()),
            algorithm=algorithm,
            check_value=maker.check_value(algorithm),
        )
        told.append(f"{count} {algorithm.name}, KT {key.check_value}")
    return " · ".join(told)


def forged_copy(drawer: ChipDrawer, number: str) -> VirtualCard:
    """A card that says what the genuine one says, made with keys of the forger's own: it lacks the right IRK (C1)."""
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
