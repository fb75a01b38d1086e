"""Take the right to issue that the ministry gave (I3, I6). Called by issuance when the approval arrives."""

from __future__ import annotations

from datetime import date

from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.cards.models import IssuingRight


@action(Permission.CARD_TAKE_RIGHT)
def take_issuing_right(
    actor: Actor, *, number: str, quantity: int, layout_digest: str, valid_from: date, valid_to: date
) -> IssuingRight:
    """Keep the right for the actor's own organisation; the same number again brings new values (a larger quantity, I5).

    No role holds this permission: only the handler of the ministry's message acts here.
    Raises Refused(ISSUANCE_QUANTITY).
    """
    if quantity <= 0:
        raise Refused(Code.ISSUANCE_QUANTITY, asked=quantity, left=0)
    place = organisation(actor.organisation)
    values = {
        "quantity": quantity,
        "layout_digest": layout_digest,
        "valid_from": valid_from,
        "valid_to": valid_to,
        "taken_at": timezone.now(),
    }
    right, new = IssuingRight.objects.update_or_create(organisation=place, number=number, defaults=values)
    record(
        actor,
        "card.right_taken",
        f"right:{number}",
        new=new,
        quantity=quantity,
        layout_digest=layout_digest,
        valid_from=valid_from,
        valid_to=valid_to,
    )
    return right
