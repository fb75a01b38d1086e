"""Playing a ceremony with everybody's part, for the story and tests: real actions, `sealed_entry` as the browser (K6).

    played = Players(acting=actor_of_staff, presence=proves).play(ceremony)

Each person acts as the own actor, proves presence for exactly the step, and seals components and shares as a browser
does. Nothing here gets round an action.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from sheka.equipment.encryption_machine.sealed_entry import entry_id_of, new_key, open_with, seal_for
from sheka.office.staff.actors import Actor
from sheka.systems.ceremonies.actions.take_step import take_step
from sheka.systems.ceremonies.effects.machine import SHORT
from sheka.systems.ceremonies.effects.shares import share_for
from sheka.systems.ceremonies.models import Ceremony, Seat
from sheka.systems.ceremonies.queries import ceremony_numbered, seats_in_turn
from sheka.systems.ceremonies.records import step_digest
from sheka.systems.ceremonies.run import device_of

COMPONENT_BYTES = 16


@dataclass
class Players:
    """Everybody of a roster. `acting` gives the actor of an account, `presence` proves that actor's presence for a
    digest. `components`: seat → the part on paper, made up where none is given; `shares`: seat → the share on paper,
    filled when one is taken; `pin` that of a carrier.
    """

    acting: Callable[[int], Actor]
    presence: Callable[[Actor, str], None]
    pin: str = ""
    components: dict[str, bytes] = field(default_factory=dict)
    shares: dict[str, bytes] = field(default_factory=dict)
    _browsers: dict[str, EllipticCurvePrivateKey] = field(default_factory=dict)

    def play(self, ceremony: Ceremony, *, up_to: int | None = None) -> Ceremony:
        """Take every step in its order, or those before `up_to`; the ceremony as it stands then."""
        while ceremony.live and (up_to is None or ceremony.position < up_to):
            ceremony = self.act(ceremony, seats_in_turn(ceremony)[0])
        return ceremony

    def act(self, ceremony: Ceremony, seat: Seat) -> Ceremony:
        """One person's part in the step in turn."""
        actor = self.acting(seat.staff_id)
        if ceremony.step_now["confirm"]:
            self.presence(actor, step_digest(ceremony))
        given = self.given(ceremony, seat)
        take_step(actor, number=ceremony.number, step=ceremony.position, given=given)
        return ceremony_numbered(actor, ceremony.number)

    def given(self, ceremony: Ceremony, seat: Seat) -> dict[str, str]:
        """What this person types, or the own browser seals, in the step in turn."""
        answer: Callable[[Ceremony, Seat], dict[str, str]] | None = {
            "confirm_fingerprint": self._fingerprint,
            "component": self._component,
            "receive": self._receive,
            "take": self._take,
            "share": self._share,
            "export": self._pin,
            "import": self._pin,
        }.get(ceremony.step_now["does"])
        return answer(ceremony, seat) if answer else {}

    def _fingerprint(self, ceremony: Ceremony, _seat: Seat) -> dict[str, str]:
        return {"fingerprint": device_of(ceremony).describe().fingerprint[-SHORT:]}

    def _component(self, ceremony: Ceremony, seat: Seat) -> dict[str, str]:
        part = self.components.setdefault(seat.key, secrets.token_bytes(COMPONENT_BYTES))
        return _sealed(ceremony, part)

    def _receive(self, _ceremony: Ceremony, seat: Seat) -> dict[str, str]:
        self._browsers[seat.key], public = new_key()
        return {"receiver": public.hex()}

    def _take(self, ceremony: Ceremony, seat: Seat) -> dict[str, str]:
        public = bytes.fromhex(ceremony.facts["receivers"][seat.key])
        sealed = bytes.fromhex(share_for(ceremony.facts, seat.key))
        self.shares[seat.key] = open_with(self._browsers[seat.key], entry_id_of(public), sealed)
        return {}

    def _share(self, ceremony: Ceremony, seat: Seat) -> dict[str, str]:
        return {"holder": str(seat.place), **_sealed(ceremony, self.shares[seat.key])}

    def _pin(self, _ceremony: Ceremony, _seat: Seat) -> dict[str, str]:
        return {"pin": self.pin}


def _sealed(ceremony: Ceremony, plain: bytes) -> dict[str, Any]:
    key = device_of(ceremony).entry_key()
    return {"entry": key.id.hex(), "sealed": seal_for(key.public_key, key.id, plain).hex()}
