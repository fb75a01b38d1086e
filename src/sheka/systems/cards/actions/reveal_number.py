"""Show a holder's whole social security number: an audited click with a purpose (design §2.10)."""

from __future__ import annotations

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.reads import read_recorded
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.cards.ledger import in_reach
from sheka.systems.cards.models import Card


@action(Permission.CARD_REVEAL)
def reveal_number(actor: Actor, card: Card, purpose: str) -> str:
    """The number whole. Raises Refused: CARD_PURPOSE, ORGANISATION_OUT_OF_REACH."""
    if len(purpose.strip()) < 2:
        raise Refused(Code.CARD_PURPOSE)
    found = in_reach(Card.objects.select_related("person").filter(pk=card.pk).first())
    read_recorded(actor, "person.revealed", found.subject, purpose)
    return found.person.social_security_number
