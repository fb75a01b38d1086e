"""The verbs that a card page carries out itself: what each asks for and which action does it.

Verbs that need the card in a reader (activate, exchange, personalise) are done at the counter's equipment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sheka.faces.console.cards.forms import IdentityForm
from sheka.faces.console.forms import PlainForm, ReasonForm
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.cards.actions.block_card import block_card, unblock_card
from sheka.systems.cards.actions.cancel_card import cancel_card
from sheka.systems.cards.actions.hand_out_card import hand_out_card
from sheka.systems.cards.actions.receive_stock import receive_stock
from sheka.systems.cards.actions.report_loss import release_loss, report_loss, report_loss_temporarily
from sheka.systems.cards.actions.reveal_number import reveal_number
from sheka.systems.cards.models import Card


@dataclass(frozen=True, slots=True)
class Verb:
    """`asks`: the label of the reason, or the sentence over the form. `danger`: it stops the card. `likely`: when it is
    offered, it is what the clerk will most likely do next.
    """

    needs: Permission
    asks: str | Promise
    form: type[Any]
    act: Callable[[Actor, Card, Any], object]
    danger: bool = False
    likely: bool = False


def _reason(form: ReasonForm) -> str:
    return str(form.cleaned_data["text"])


VERBS_HERE: dict[str, Verb] = {
    "receive": Verb(
        Permission.CARD_STOCK,
        _("The card lies here, in this outlet."),
        PlainForm,
        lambda actor, card, form: receive_stock(actor, cards=[card]),
        likely=True,
    ),
    "hand_out": Verb(
        Permission.CARD_HAND_OUT,
        _("The holder is here in person, with the identity card."),
        IdentityForm,
        lambda actor, card, form: hand_out_card(actor, card=card, identity=form.identity()),
        likely=True,
    ),
    "release": Verb(
        Permission.CARD_LOSS,
        _("The card was found. The holder is here in person, with the identity card."),
        IdentityForm,
        lambda actor, card, form: release_loss(actor, card=card, identity=form.identity()),
        likely=True,
    ),
    "unblock": Verb(
        Permission.CARD_BLOCK,
        _("Why?"),
        ReasonForm,
        lambda actor, card, form: unblock_card(actor, card=card, reason=_reason(form)),
        likely=True,
    ),
    "report_loss_temporarily": Verb(
        Permission.CARD_LOSS,
        _("Who reported it, and how?"),
        ReasonForm,
        lambda actor, card, form: report_loss_temporarily(actor, card=card, how=_reason(form)),
        danger=True,
    ),
    "report_loss": Verb(
        Permission.CARD_LOSS,
        _("The holder is here in person, with the identity card."),
        IdentityForm,
        lambda actor, card, form: report_loss(actor, card=card, identity=form.identity()),
        danger=True,
    ),
    "block": Verb(
        Permission.CARD_BLOCK,
        _("Why?"),
        ReasonForm,
        lambda actor, card, form: block_card(actor, card=card, reason=_reason(form)),
        danger=True,
    ),
    "cancel": Verb(
        Permission.CARD_CANCEL,
        _("Why?"),
        ReasonForm,
        lambda actor, card, form: cancel_card(actor, card=card, reason=_reason(form)),
        danger=True,
    ),
    "reveal": Verb(
        Permission.CARD_REVEAL,
        _("For what purpose?"),
        ReasonForm,
        lambda actor, card, form: reveal_number(actor, card, _reason(form)),
    ),
}
"""In the order in which a page offers them."""
