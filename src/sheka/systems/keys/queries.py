"""Reading keys."""

from __future__ import annotations

from django.db.models import QuerySet

from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused
from sheka.systems.keys.catalogue import entries
from sheka.systems.keys.models import Key


def keys_of(organisation_code: str) -> QuerySet[Key]:
    """Every key that an organisation holds."""
    return Key.objects.filter(organisation_id=organisation_code)


def key_named(organisation_code: str, name: str, algorithm: Algorithm, version: int = 1) -> Key:
    """One key. Raises Refused(KEY_UNKNOWN)."""
    try:
        return Key.objects.get(organisation_id=organisation_code, name=name, algorithm=algorithm, version=version)
    except Key.DoesNotExist:
        raise Refused(Code.KEY_UNKNOWN, name=name, organisation=organisation_code, version=version) from None


def card_keys(organisation_code: str, algorithm: Algorithm, version: int = 1) -> dict[str, Key]:
    """Name → key, for everything that a card of this city carries. Raises Refused(KEY_SET_INCOMPLETE)."""
    held = {key.name: key for key in keys_of(organisation_code).filter(algorithm=algorithm, version=version)}
    missing = [entry.name for entry in entries() if entry.name not in held]
    if missing:
        raise Refused(Code.KEY_SET_INCOMPLETE, organisation=organisation_code, missing=", ".join(missing))
    return held


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
