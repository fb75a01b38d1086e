"""Reading keys: what an organisation holds, which version its cards get, where sub-keys went (K1-K3)."""

from __future__ import annotations

import re

from django.db.models import Q, QuerySet

from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.keys.catalogue import entries
from sheka.systems.keys.life import must_work
from sheka.systems.keys.models import Consignment, Key, Machine

ACTIVE = ("active",)
LABEL = re.compile(rf"(.+)\.({'|'.join(Algorithm.__members__)})\.([0-9]{{1,3}})")


def keys_of(organisation_code: str) -> QuerySet[Key]:
    """Every key that an organisation holds or has planned."""
    return Key.objects.filter(organisation_id=organisation_code)


def consignments_of(organisation_code: str) -> QuerySet[Consignment]:
    """The sub-keys that an organisation sent or was sent, latest first."""
    return Consignment.objects.filter(held_by_id=organisation_code)


def carried_by(key: Key) -> list[Consignment]:
    """The consignments of the key's organisation that brought it, or its sub-keys, latest first."""
    rows = consignments_of(key.organisation_id).filter(algorithm=key.algorithm, version=key.version)
    return list(rows.filter(content__contains=[{"name": key.name}]))


def recipients_of(actor: Actor) -> list[str]:
    """Codes of the direct subordinates whose machines are registered: to them sub-keys can go."""
    rows = Machine.objects.filter(organisation__parent_id=actor.organisation).exclude(state="retired")
    return list(rows.order_by("organisation_id").values_list("organisation_id", flat=True))


def machines(actor: Actor) -> QuerySet[Machine]:
    """The registered machines of the actor's organisation, of its superior and of those below it.

    Raises Refused(PERMISSION_MISSING).
    """
    actor.require(Permission.MACHINE_VIEW)
    place = organisation(actor.organisation)
    near = Q(organisation__path__within=actor.path) | Q(organisation_id=place.parent_id or place.code)
    return Machine.objects.filter(near).select_related("organisation")


def key_named(organisation_code: str, name: str, algorithm: Algorithm, version: int = 1) -> Key:
    """One key that may be used, of the version that the card carries.

    Raises Refused: KEY_UNKNOWN, KEY_SUSPENDED, KEY_NOT_ACTIVE.
    """
    found = _key(organisation_code, name, algorithm, version)
    must_work(found, ACTIVE)
    return found


def key_labelled(organisation_code: str, label: str) -> Key:
    """The key of a label such as "IRK.SM4.1", in whatever state. Raises Refused(KEY_UNKNOWN)."""
    parts = LABEL.fullmatch(label)
    if parts is None:
        raise Refused(Code.KEY_UNKNOWN, name=label, organisation=organisation_code, version="?")
    return _key(organisation_code, parts[1], Algorithm[parts[2]], int(parts[3]))


def card_keys(organisation_code: str, algorithm: Algorithm, version: int | None = None) -> dict[str, Key]:
    """Name → key, for everything that a card of this city carries; without `version` the newest that is complete.

    Raises Refused: KEY_SET_INCOMPLETE, KEY_SUSPENDED.
    """
    if version is None:
        version = newest_version(organisation_code, algorithm)
    held = {key.name: key for key in keys_of(organisation_code).filter(algorithm=algorithm, version=version)}
    missing = []
    for entry in entries():
        key = held.get(entry.name)
        if key is None or key.state not in ("active", "suspended"):
            missing.append(entry.name)
        else:
            must_work(key, ACTIVE)
    if missing:
        raise Refused(Code.KEY_SET_INCOMPLETE, organisation=organisation_code, missing=", ".join(missing))
    return {entry.name: held[entry.name] for entry in entries()}


def newest_version(organisation_code: str, algorithm: Algorithm) -> int:
    """The version that a new card gets: the newest of which every key is active.

    Where no set is complete, the newest with any active key, so that what is missing is named by `card_keys`; 1 where
    there is none.
    """
    active = keys_of(organisation_code).filter(algorithm=algorithm, state="active")
    names: dict[int, set[str]] = {}
    for name, version in active.values_list("name", "version"):
        names.setdefault(version, set()).add(name)
    wanted = {entry.name for entry in entries()}
    complete = [version for version, held in names.items() if wanted <= held]
    return max(complete, default=max(names, default=1))


def transport_key_name(maker: str) -> str:
    """How the master transport key of a chip maker is called here."""
    return f"KT:{maker}"


def transport_key(organisation_code: str, algorithm: Algorithm) -> Key:
    """The master transport key for blank chips of an algorithm, the latest one. Raises Refused(KEY_UNKNOWN)."""
    found = (
        Key.objects.filter(organisation_id=organisation_code, owner_level="maker", algorithm=algorithm, state="active")
        .order_by("-version", "-pk")
        .first()
    )
    if found is None:
        raise Refused(Code.KEY_UNKNOWN, name="KT", organisation=organisation_code, version=1)
    return found


def _key(organisation_code: str, name: str, algorithm: Algorithm, version: int) -> Key:
    try:
        return Key.objects.get(organisation_id=organisation_code, name=name, algorithm=algorithm, version=version)
    except Key.DoesNotExist:
        raise Refused(Code.KEY_UNKNOWN, name=name, organisation=organisation_code, version=version) from None
