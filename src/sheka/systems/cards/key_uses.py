"""How many cards need a version of the keys: asked before the version is retired (K1)."""

from __future__ import annotations

from datetime import date

from sheka.foundation.crypto.algorithms import Algorithm
from sheka.systems.cards.models import Card
from sheka.systems.cards.states import IN_PRODUCTION, WITH_HOLDER
from sheka.systems.keys.uses import counts_use


@counts_use("cards")
def unexpired_cards(organisation: str, algorithm: Algorithm, version: int, today: date) -> int:
    """Cards that were numbered with the version, and that their holders have or will have and may use on that day."""
    rows = Card.objects.filter(organisation_id=organisation, algorithm=algorithm, key_version=version)
    return rows.filter(state__in=(*IN_PRODUCTION, *WITH_HOLDER), expires_on__gte=today).count()
