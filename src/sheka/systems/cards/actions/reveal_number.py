"""Show a holder's whole social security number: an audited click with a purpose (design §2.10)."""

from __future__ import annotations

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.cards.models import Card
from sheka.systems.cards.scope import must_serve


@action(Permission.CARD_REVEAL)
def reveal_number(actor: Actor, card: Card, purpose: str) -> str:
    """The number whole. Raises Refused: CARD_PURPOSE, ORGANISATION_OUT_OF_REACH."""
    if len(purpose.strip()) < 2:
        raise Refused(Code.CARD_PURPOSE)
    found = Card.objects.select_related("organisation", "person").get(pk=card.pk)
    must_serve(actor, found.organisation)
    record(actor, "person.revealed", found.subject, purpose=purpose.strip()[:200])
    return found.person.social_security_number
