"""When a version of the keys may go out of use, and what then happens (K1): asked before and after the decision."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused
from sheka.office.approvals.models import Proposal
from sheka.office.approvals.seats import place_term
from sheka.office.audit.trail import record
from sheka.office.messages.outbox import send
from sheka.office.staff.actors import Actor
from sheka.systems.keys.life import lock_keys, move
from sheka.systems.keys.models import Consignment, Key
from sheka.systems.keys.uses import in_use


def must_be_unused(organisation_code: str, algorithm: Algorithm, version: int) -> None:
    """No unexpired card carries the version, and no level below holds sub-keys made from it.

    Raises Refused: KEY_IN_USE, KEY_USED_BELOW.
    """
    count = in_use(organisation_code, algorithm, version, timezone.localdate())
    if count:
        raise Refused(Code.KEY_IN_USE, version=version, count=count)
    sent = Consignment.objects.filter(
        held_by_id=organisation_code, sender=organisation_code, algorithm=algorithm, version=version
    )
    below = sent.filter(state="acknowledged", retired_on=None).first()
    if below is not None:
        raise Refused(Code.KEY_USED_BELOW, version=version, organisation=place_term(below.recipient))


def retire(actor: Actor, proposal: Proposal) -> dict[str, Any]:
    """The last approval: the keys are out of use; the superior from whom they came is told. Runs in its transaction.

    Raises Refused: KEY_IN_USE, KEY_USED_BELOW when something came into use since the request was made.
    """
    payload = proposal.payload
    algorithm, version = Algorithm(payload["algorithm"]), int(payload["version"])
    place = Actor.process("keys", proposal.organisation_id)
    if not payload["reason"]:
        must_be_unused(place.organisation, algorithm, version)
    keys = move(actor, lock_keys(place, payload["names"], algorithm, version), "retire", about=str(proposal.number))
    for superior in sorted({key.came_from for key in keys if key.came_from}):
        _tell(place.organisation, superior, algorithm, version)
    values = {key.name: key.check_value for key in keys}
    record(actor, "key.retired", f"keys:{place.organisation}", algorithm=algorithm.name, version=version, keys=values)
    return {"retired": len(keys)}


def _tell(own: str, superior: str, algorithm: Algorithm, version: int) -> None:
    """Only when none of the superior's sub-keys of this version is left in use."""
    left = Key.objects.filter(organisation_id=own, came_from=superior, algorithm=algorithm, version=version).exclude(
        state__in=("retired", "destroyed")
    )
    if not left.exists():
        send(own, superior, "keys.retired", {"algorithm": int(algorithm), "version": version})
