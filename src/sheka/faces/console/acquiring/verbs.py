"""What the pages of institutions and terminals carry out, and who is offered it (S4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sheka.faces.console.acquiring.forms import (
    CertificateForm,
    InstitutionForm,
    PlacingForm,
    ProfileForm,
    TerminalsForm,
    TestingForm,
    TransportKeyForm,
)
from sheka.faces.console.forms import PlainForm, ReasonForm
from sheka.faces.console.words import language
from sheka.foundation.refusals import Code, Refused
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.transactions.actions.change_institution import change_institution, change_terminals
from sheka.systems.transactions.actions.keep_certificates import add_certificate
from sheka.systems.transactions.actions.keep_line import set_profile, set_transport_key, unlock_terminal
from sheka.systems.transactions.actions.onboard_institution import accept_testing, begin_testing, give_up_testing
from sheka.systems.transactions.actions.register_institution import (
    register_terminals,
    update_institution,
    update_terminal,
)
from sheka.systems.transactions.models import Institution, Terminal
from sheka.systems.transactions.queries_of_lines import transport_keys_for
from sheka.systems.transactions.registration import DETAILS, PLACING

REGISTER, ACTIVATE, LINE = Permission.ACQUIRING_REGISTER, Permission.ACQUIRING_ACTIVATE, Permission.LINE_MANAGE


@dataclass(frozen=True, slots=True)
class Verb:
    """`asks`: the sentence over the form. `states`: where it is offered. `act(actor, code or number, form)`.
    `prepare(form, actor, row)`: what the form offers of this row.
    """

    needs: Permission
    asks: str | Promise
    form: type[Any]
    act: Callable[[Actor, str, Any], object]
    states: tuple[str, ...]
    danger: bool = False
    prepare: Callable[[Any, Actor, Any], None] | None = None


def _said(form: Any) -> str:
    return str(form.cleaned_data["text"])


def _turn(verb: str) -> Callable[[Actor, str, Any], object]:
    return lambda actor, code, form: change_institution(
        actor, code=code, verb=verb, reason=form.cleaned_data.get("text", "")
    )


def _turn_terminal(verb: str) -> Callable[[Actor, str, Any], object]:
    return lambda actor, number, form: change_terminals(
        actor, numbers=[number], verb=verb, reason=form.cleaned_data.get("text", "")
    )


def _offer_keys(form: TransportKeyForm, actor: Actor, row: Institution) -> None:
    """A machine that does not answer is said in the form, where the officer stands."""
    try:
        form.offer(transport_keys_for(actor, row))
    except Refused as refusal:
        if refusal.code is not Code.MACHINE_UNREACHABLE:
            raise
        form.offer([], instead=refusal.text(language()))


OPEN = ("registered", "testing", "accepted", "active", "suspended")
INSTITUTION_VERBS: dict[str, Verb] = {
    "begin_testing": Verb(
        REGISTER,
        _("Test terminals speak for the city's test cards only. The switch ticks the steps off by itself."),
        TestingForm,
        lambda actor, code, form: begin_testing(actor, code=code, **form.cleaned_data),
        ("registered", "active", "suspended"),
    ),
    "accept": Verb(
        REGISTER,
        _("Every step must be ticked off. Another person activates the institution then."),
        PlainForm,
        lambda actor, code, form: accept_testing(actor, code=code),
        ("testing", "active", "suspended"),
    ),
    "activate": Verb(
        ACTIVATE,
        _("The institution takes cards from now on. You did neither register it nor accept its tests."),
        PlainForm,
        _turn("activate"),
        ("accepted",),
    ),
    "adopt": Verb(
        ACTIVATE,
        _("The version that was tested beside the work is the registered one from now on."),
        PlainForm,
        _turn("adopt"),
        ("active",),
    ),
    "resume": Verb(ACTIVATE, _("Its terminals take cards again."), PlainForm, _turn("resume"), ("suspended",)),
    "terminals": Verb(
        REGISTER,
        _("Terminals of one make at one place. Another person activates them."),
        TerminalsForm,
        lambda actor, code, form: register_terminals(
            actor,
            institution_code=code,
            numbers=form.cleaned_data["numbers"],
            channel=form.cleaned_data["channel"],
            **{name: value for name, value in form.given().items() if name in PLACING},
        ),
        OPEN,
    ),
    "certificate": Verb(
        REGISTER,
        _("The public certificate with which its lines prove whose they are. Never paste a private key."),
        CertificateForm,
        lambda actor, code, form: add_certificate(actor, code=code, **form.cleaned_data),
        OPEN,
    ),
    "change": Verb(
        REGISTER,
        _("The code stays. What was registered before stands in the audit."),
        InstitutionForm,
        lambda actor, code, form: update_institution(actor, code=code, **form.cleaned_data),
        OPEN,
    ),
    "give_up": Verb(
        REGISTER,
        _("Why do the tests end without a result?"),
        ReasonForm,
        lambda actor, code, form: give_up_testing(actor, code=code, reason=_said(form)),
        ("testing", "active", "suspended"),
    ),
    "suspend": Verb(
        ACTIVATE, _("Why is the institution suspended?"), ReasonForm, _turn("suspend"), ("active",), danger=True
    ),
    "close": Verb(
        ACTIVATE,
        _("Why is it closed? A closed institution is never opened again."),
        ReasonForm,
        _turn("close"),
        ("registered", "accepted", "suspended"),
        danger=True,
    ),
}
"""In the order in which a page offers them."""
LINE_VERBS: dict[str, Verb] = {
    "transport_key": Verb(
        LINE,
        _(
            "Working keys go out under it. Both sides entered it in components (sheka line transport-key); compare its"
            " check value."
        ),
        TransportKeyForm,
        lambda actor, code, form: set_transport_key(actor, code=code, reference=form.cleaned_data["reference"]),
        OPEN,
        prepare=_offer_keys,
    ),
    "profile": Verb(
        LINE,
        _("Another algorithm makes a new first MAC key, and no key goes out until a transport key of it is set."),
        ProfileForm,
        lambda actor, code, form: set_profile(actor, code=code, **form.cleaned_data),
        OPEN,
        danger=True,
    ),
}
"""Of the page of an institution's line."""
TERMINAL_VERBS: dict[str, Verb] = {
    "unlock": Verb(
        Permission.TERMINAL_UNLOCK,
        _("What was found, and why may it speak again? Its counts of wrong messages begin anew."),
        ReasonForm,
        lambda actor, number, form: unlock_terminal(actor, number=number, reason=_said(form)),
        ("locked",),
    ),
    "activate": Verb(
        ACTIVATE,
        _("The terminal takes cards from now on. You did not register it."),
        PlainForm,
        _turn_terminal("activate"),
        ("registered",),
    ),
    "resume": Verb(ACTIVATE, _("The terminal takes cards again."), PlainForm, _turn_terminal("resume"), ("suspended",)),
    "change": Verb(
        REGISTER,
        _("What it is and where it stands now."),
        PlacingForm,
        lambda actor, number, form: update_terminal(actor, number=number, **form.given()),
        ("registered", "active", "suspended"),
    ),
    "suspend": Verb(
        ACTIVATE, _("Why is the terminal suspended?"), ReasonForm, _turn_terminal("suspend"), ("active",), danger=True
    ),
    "close": Verb(
        ACTIVATE,
        _("Why is it closed? A closed terminal is never opened again."),
        ReasonForm,
        _turn_terminal("close"),
        ("registered", "suspended", "locked"),
        danger=True,
    ),
}


def offered_to(
    actor: Actor, row: Institution | Terminal, *, testing: bool = False, accepted: bool = False
) -> list[str]:
    """The verbs that this reader may carry out now. `testing`: tests are open, or it is a test terminal, which can be
    unlocked and nothing else; `accepted`: some tests wait to be taken up.
    """
    verbs = INSTITUTION_VERBS if isinstance(row, Institution) else TERMINAL_VERBS
    found = [name for name, verb in verbs.items() if row.state in verb.states and actor.may(verb.needs)]
    if isinstance(row, Terminal):
        return [name for name in found if name == "unlock" or not testing]
    hidden = {"begin_testing"} if testing else {"accept", "give_up"}
    return [name for name in found if name not in hidden and (name != "adopt" or accepted)]


def first_values(verb: str, row: Institution | Terminal) -> dict[str, Any]:
    """What a form shows at first: for a change what is registered."""
    if verb == "change":
        return {name: getattr(row, name) for name in (DETAILS if isinstance(row, Institution) else PLACING)}
    if verb == "profile" and isinstance(row, Institution):
        return {"profile": row.profile, "keys_for": row.keys_for}
    if verb == "terminals" and isinstance(row, Institution):
        return {"region": row.region}
    return {}
