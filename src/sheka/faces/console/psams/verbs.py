"""What a PSAM's page carries out: what each verb asks for, and which action does it (K8)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sheka.faces.console.forms import PlainForm, ReasonForm
from sheka.faces.console.psams.forms import FactsForm, ReceiverForm, TerminalForm
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.psams.actions.load_psam import load_psam, recycle_psam
from sheka.systems.psams.actions.place_psam import (
    activate_psam,
    bind_psam,
    describe_psam,
    ship_psam,
    take_back_psam,
    unbind_psam,
)
from sheka.systems.psams.actions.stop_psam import report_psam_lost
from sheka.systems.psams.models import Psam
from sheka.systems.psams.readers import reader_with
from sheka.systems.psams.states import PSAM


@dataclass(frozen=True, slots=True)
class Verb:
    """`asks`: the label of the reason, or the sentence over the form. `guard`: the verb of the state table."""

    needs: Permission
    asks: str | Promise
    form: type[Any]
    act: Callable[[Actor, str, Any], object]
    guard: str
    danger: bool = False


def _said(form: Any) -> str:
    return str(form.cleaned_data["text"])


VERBS_HERE: dict[str, Verb] = {
    "load": Verb(
        Permission.PSAM_LOAD,
        _("The PSAM is in the reader. The encryption machine writes the keys that are in force here."),
        PlainForm,
        lambda actor, serial, form: load_psam(actor, serial=serial, reader=reader_with(serial)),
        "load",
    ),
    "bind": Verb(
        Permission.PSAM_BIND,
        _("The PSAM is in the reader. One PSAM serves one terminal at a time."),
        TerminalForm,
        lambda actor, serial, form: bind_psam(actor, serial=serial, reader=reader_with(serial), **form.cleaned_data),
        "bind",
    ),
    "ship": Verb(
        Permission.PSAM_BIND,
        _("It leaves the office in its terminal, or for it."),
        ReceiverForm,
        lambda actor, serial, form: ship_psam(actor, serial=serial, **form.cleaned_data),
        "ship",
    ),
    "activate": Verb(
        Permission.PSAM_BIND,
        _("It stands in its terminal. From now on the switch takes what the terminal sends."),
        PlainForm,
        lambda actor, serial, form: activate_psam(actor, serial=serial),
        "activate",
    ),
    "describe": Verb(
        Permission.PSAM_BIND,
        _("As it is now; earlier records stay."),
        FactsForm,
        lambda actor, serial, form: describe_psam(actor, serial=serial, **form.cleaned_data),
        "describe",
    ),
    "take_back": Verb(
        Permission.PSAM_KEEP,
        _("Why does it come back?"),
        ReasonForm,
        lambda actor, serial, form: take_back_psam(actor, serial=serial, reason=_said(form)),
        "take_back",
    ),
    "recycle": Verb(
        Permission.PSAM_LOAD,
        _("The PSAM is in the reader. All its keys and its terminal number are erased."),
        PlainForm,
        lambda actor, serial, form: recycle_psam(actor, serial=serial, reader=reader_with(serial)),
        "recycle",
        danger=True,
    ),
    "unbind": Verb(
        Permission.PSAM_BIND,
        _("Why does it not go into this terminal?"),
        ReasonForm,
        lambda actor, serial, form: unbind_psam(actor, serial=serial, reason=_said(form)),
        "unbind",
    ),
    "report_lost": Verb(
        Permission.CARRIER_REPORT_LOSS,
        _("What happened, when was it last seen?"),
        ReasonForm,
        lambda actor, serial, form: report_psam_lost(actor, serial=serial, how=_said(form)),
        "lose",
        danger=True,
    ),
}
"""In the order in which a page offers them."""


def offered_to(actor: Actor, psam: Psam) -> list[tuple[str, Verb]]:
    """The verbs that this reader may carry out now."""
    possible = PSAM.verbs(psam.state)
    return [(name, verb) for name, verb in VERBS_HERE.items() if verb.guard in possible and actor.may(verb.needs)]
