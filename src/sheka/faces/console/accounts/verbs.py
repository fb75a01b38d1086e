"""What an account's page carries out: what each verb asks for, and which action does it (S6)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sheka.faces.console.accounts.forms import (
    AmountForm,
    InheritForm,
    MoveForm,
    OrderedForm,
    OutsideForm,
    PayeeForm,
)
from sheka.faces.console.forms import ReasonForm
from sheka.office.approvals.models import Proposal
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.accounts.actions.change_state import close_account, freeze_account, freeze_amount, release_account
from sheka.systems.accounts.actions.propose_ending import (
    propose_closing,
    propose_inheritance,
    propose_move,
    propose_move_outside,
)
from sheka.systems.accounts.models import Account


@dataclass(frozen=True, slots=True)
class Verb:
    """`act` answers a Proposal where a second person decides. `states`: in which the account may be."""

    word: str | Promise
    needs: Permission
    asks: str | Promise
    form: type[Any]
    act: Callable[[Actor, str, Any], object]
    states: tuple[str, ...] = ("open",)
    danger: bool = False
    empty: bool | None = None
    """Only with nothing on it (True), only with money on it (False)."""

    @property
    def proposes(self) -> bool:
        return self.needs in (Permission.ACCOUNT_MOVE, Permission.ACCOUNT_INHERIT)


def _inherit(actor: Actor, number: str, form: InheritForm) -> Proposal:
    data = form.cleaned_data
    return propose_inheritance(
        actor,
        number=number,
        rule=data["rule"],
        shares_of=form.given(),
        reason=data["reason"],
        document=data["document"],
    )


VERBS: dict[str, Verb] = {
    "freeze-amount": Verb(
        _("Freeze an amount"),
        Permission.ACCOUNT_FREEZE,
        _("The amount stays on the account and cannot be spent until it is released."),
        AmountForm,
        lambda actor, number, form: freeze_amount(actor, number=number, **form.cleaned_data),
    ),
    "freeze": Verb(
        _("Freeze the account"),
        Permission.ACCOUNT_FREEZE,
        _("Nothing is paid in or out until it is released; money that a reversal brings back still arrives."),
        OrderedForm,
        lambda actor, number, form: freeze_account(actor, number=number, **form.cleaned_data),
        danger=True,
    ),
    "release": Verb(
        _("Release the account"),
        Permission.ACCOUNT_FREEZE,
        _("The account can be used again; amounts that are frozen stay so."),
        OrderedForm,
        lambda actor, number, form: release_account(actor, number=number, **form.cleaned_data),
        states=("frozen",),
    ),
    "move": Verb(
        _("Transfer to another city"),
        Permission.ACCOUNT_MOVE,
        _("The balance goes to an account in the books of that city. A second person decides."),
        MoveForm,
        lambda actor, number, form: propose_move(actor, number=number, **form.cleaned_data),
    ),
    "move-outside": Verb(
        _("Transfer to another area"),
        Permission.ACCOUNT_MOVE,
        _("The balance is paid to the agency of the new area. A second person decides."),
        OutsideForm,
        lambda actor, number, form: propose_move_outside(actor, number=number, **form.cleaned_data),
    ),
    "pay-out": Verb(
        _("Close and pay out"),
        Permission.ACCOUNT_MOVE,
        _("The balance is paid to a bank account of the holder, and the account is closed. A second person decides."),
        PayeeForm,
        lambda actor, number, form: propose_closing(actor, number=number, **form.cleaned_data),
        empty=False,
    ),
    "inherit": Verb(
        _("Inheritance"),
        Permission.ACCOUNT_INHERIT,
        _("The holder has died: the balance is divided among the heirs. A second person decides."),
        InheritForm,
        _inherit,
    ),
    "close": Verb(
        pgettext_lazy("accounts", "Close the account"),
        Permission.ACCOUNT_OPEN,
        _("Why is the account closed?"),
        ReasonForm,
        lambda actor, number, form: close_account(actor, number=number, reason=form.cleaned_data["text"]),
        danger=True,
        empty=True,
    ),
}
"""In the order in which a page offers them."""


def offered_to(actor: Actor, account: Account) -> list[tuple[str, Verb]]:
    """The verbs that this reader may carry out now, for a personal account."""
    if account.kind != "personal" or not account.organisation or not actor.reaches(account.organisation):
        return []
    return [
        (name, verb)
        for name, verb in VERBS.items()
        if account.state in verb.states
        and actor.may(verb.needs)
        and (verb.empty is None or verb.empty is not bool(account.balance))
    ]
