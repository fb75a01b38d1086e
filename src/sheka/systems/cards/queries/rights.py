"""The guard that no card passes without a right to issue it (I6)."""

from __future__ import annotations

from django.db.models import Q
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.systems.cards.models import Card, IssuingRight


def right_to_issue(organisation_code: str, *, more: int, layout_digest: str | None = None) -> IssuingRight:
    """The valid right that still covers `more` cards in this layout; its row stays locked to the transaction's end.

    Without a layout the newest right counts: an exchange makes its card in the layout approved last.
    Raises Refused: ISSUANCE_NO_NUMBER, ISSUANCE_LAYOUT, ISSUANCE_QUANTITY.
    """
    today = timezone.localdate()
    valid = list(
        IssuingRight.objects.select_for_update(of=("self",))
        .filter(organisation_id=organisation_code, valid_from__lte=today, valid_to__gt=today)
        .order_by("-valid_from", "number")
    )
    if not valid:
        raise Refused(Code.ISSUANCE_NO_NUMBER, organisation=organisation_code)
    fitting = [right for right in valid if layout_digest is None or right.layout_digest == layout_digest]
    if not fitting:
        raise Refused(Code.ISSUANCE_LAYOUT, layout=(layout_digest or "")[:16])
    left = [(right, right.quantity - issued_under(right)) for right in fitting]
    for right, rest in left:
        if more <= rest:
            return right
    raise Refused(Code.ISSUANCE_QUANTITY, asked=more, left=max(0, *(rest for _, rest in left)))


def issued_under(right: IssuingRight) -> int:
    """How many cards a right has been used for. A card cancelled before a chip was made for it uses nothing."""
    never_made = Q(state="cancelled", chip_serial__isnull=True)
    return Card.objects.filter(right=right).exclude(never_made).count()
