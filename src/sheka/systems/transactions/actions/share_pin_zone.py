"""A key between two machines of this node, so that a PIN is verified in the machine of the card's city (S4, ADR 33).

It is made in the machine of the city whose cards it serves, goes to the machine of the terminals' office in an envelope
between the two, and serves nothing but PIN blocks on their way. A turn of the worker makes what is missing.
"""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone

from sheka.equipment.encryption_machine.client import EncryptionMachine
from sheka.equipment.encryption_machine.model import KeyInfo, Usage
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.keys.machines import machine_of
from sheka.systems.transactions.line_models import CardPin, LinePurpose, LineRoot, PinZone


def zones_wanted() -> list[tuple[str, str]]:
    """(acquirer, issuer) of organisations with machines in this node that have no key between them yet: the one gives
    PIN keys to terminals, the other has cards with a PIN."""
    here = {machine.organisation for machine in settings.NODE.machines}
    roots = LineRoot.objects.filter(purpose=LinePurpose.PIN, organisation_id__in=here)
    acquirers = set(roots.values_list("organisation_id", flat=True))
    issuers = set(CardPin.objects.filter(organisation_id__in=here).values_list("organisation_id", flat=True).distinct())
    made = set(PinZone.objects.values_list("acquirer_id", "issuer_id"))
    wanted = {(one, other) for one in acquirers for other in issuers if one != other}
    return sorted(wanted - made)


@action(Permission.LINE_MANAGE)
def share_pin_zone(actor: Actor, *, acquirer: str, issuer: str) -> PinZone:
    """The key between the machines of two organisations in the actor's reach; the one that there is, if there is one.

    What an interrupted attempt left in the machines is taken up.
    Raises Refused: ORGANISATION_OUT_OF_REACH, NODE_MACHINE_UNKNOWN, the machines'.
    """
    for code in (acquirer, issuer):
        actor.must_act_for(code)
    found = PinZone.objects.filter(acquirer_id=acquirer, issuer_id=issuer).first()
    if found is None:
        theirs, ours = machine_of(issuer), machine_of(acquirer)
        name = f"PIN-ZONE-{issuer}-{acquirer}.{Algorithm.SM4.name}"
        made = _held(theirs, name, issuer) or theirs.generate(
            name, Algorithm.SM4, Usage.PIN_ZONE, owner=issuer, diversified=True
        )
        taken = _held(ours, name, issuer)
        if taken is None:
            _introduce(theirs, acquirer, ours.public_key())
            _introduce(ours, issuer, theirs.public_key())
            envelope = theirs.export_envelope(made.ref, ours.public_key())
            taken = ours.import_envelope(envelope, theirs.public_key(), name=name, owner=issuer)
        found = PinZone.objects.create(
            acquirer_id=acquirer,
            issuer_id=issuer,
            acquirer_reference=taken.ref,
            issuer_reference=made.ref,
            check_value=made.check_value,
            made_at=timezone.now(),
        )
    record(actor, "line.pin_zone", f"organisation:{issuer}", acquirer=acquirer, check_value=found.check_value)
    return found


def _held(machine: EncryptionMachine, name: str, owner: str) -> KeyInfo | None:
    for known in machine.list_keys():
        if (known.name, known.owner, known.usage) == (name, owner, Usage.PIN_ZONE) and not known.destroyed:
            return known
    return None


def _introduce(machine: EncryptionMachine, organisation: str, public: bytes) -> None:
    """A machine knows the other one, from this or from the distribution of keys."""
    if all(peer.public_key != public.hex() for peer in machine.peers()):
        machine.register_peer(f"machine of {organisation}", public)
