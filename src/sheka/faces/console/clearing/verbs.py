"""What the page of a clearing day carries out, who may, and why not now (S8)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from sheka.faces.console.clearing.forms import AcquirerFileForm
from sheka.faces.console.clearing.shown import DayShown
from sheka.faces.console.forms import PlainForm
from sheka.faces.console.templatetags.look import count, day
from sheka.foundation.refusals import Code, Refused
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.clearing.actions.import_file import import_file
from sheka.systems.clearing.actions.net_day import net_day
from sheka.systems.clearing.actions.reconcile_day import reconcile_day
from sheka.systems.clearing.actions.seal_day import seal_day
from sheka.systems.clearing.models import Day
from sheka.systems.clearing.states import DAY

Told = tuple[str, str]
"""What the page says afterwards, and the tone of it."""


@dataclass(frozen=True, slots=True)
class Verb:
    """`asks`: what will happen, said before it is done. `act(actor, day as shown, form)` answers what became of it."""

    word: str | Promise
    needs: Permission
    asks: str | Promise
    form: type[Any]
    act: Callable[[Actor, DayShown, Any], Told]


def _seal(actor: Actor, shown: DayShown, form: Any) -> Told:
    if shown.place.code != actor.organisation:
        raise Refused(Code.ORGANISATION_OUT_OF_REACH, organisation=shown.place.name)
    made = seal_day(actor, settlement_date=shown.settled)
    text = ngettext("Sealed with %(n)s transaction.", "Sealed with %(n)s transactions.", made.count)
    return text % {"n": count(made.count)}, "good"


def _import(actor: Actor, shown: DayShown, form: Any) -> Told:
    file = import_file(actor, data=form.cleaned_data["file"].read())
    given = {"acquirer": file.acquirer, "n": count(file.count), "day": day(file.day.settlement_date)}
    if file.day.settlement_date != shown.settled:
        return gettext("The file of %(acquirer)s says %(day)s: it was kept with that day.") % given, "info"
    return gettext("The file of %(acquirer)s is here, %(n)s lines.") % given, "good"


def _reconcile(actor: Actor, shown: DayShown, form: Any) -> Told:
    result = reconcile_day(actor, day=_sealed(shown))
    if result.flat:
        return gettext("Reconciled: both sides agree, the day is flat."), "good"
    number = len(result.items)
    text = ngettext(
        "Reconciled: %(n)s difference, which is a case of the exceptions desk.",
        "Reconciled: %(n)s differences, each of them a case of the exceptions desk.",
        number,
    )
    return text % {"n": count(number)}, "info"


def _net(actor: Actor, shown: DayShown, form: Any) -> Told:
    made = len(net_day(actor, day=_sealed(shown)))
    text = ngettext("Netted: the position of %(n)s institution.", "Netted: the positions of %(n)s institutions.", made)
    return text % {"n": count(made)}, "good"


VERBS: dict[str, Verb] = {
    "seal": Verb(
        _("Seal the day"),
        Permission.CLEARING_SEAL,
        _("What is booked from now on stands in the next day. A sealed day is never opened again."),
        PlainForm,
        _seal,
    ),
    "import": Verb(
        _("Import a file"),
        Permission.CLEARING_IMPORT,
        _("The file is read whole or refused whole. It says itself whose it is and of which day."),
        AcquirerFileForm,
        _import,
    ),
    "reconcile": Verb(
        _("Reconcile"),
        Permission.CLEARING_IMPORT,
        _("Every transaction of the day is compared with the files. Each difference becomes a case, once."),
        PlainForm,
        _reconcile,
    ),
    "net": Verb(
        _("Net the day"),
        Permission.CLEARING_NET,
        _("Who pays whom is fixed, institution by institution, and compared with the ledger. It cannot be undone."),
        PlainForm,
        _net,
    ),
}
"""In the order in which they are done."""


def why_not(actor: Actor, shown: DayShown, name: str) -> Refused | None:
    """Why this reader cannot do it now; None when nothing is in the way. The actions ask again."""
    if not actor.may(VERBS[name].needs):
        return Refused(Code.PERMISSION_MISSING, permission=VERBS[name].needs.value)
    if not actor.reaches(shown.place) or (name == "seal" and shown.place.code != actor.organisation):
        return Refused(Code.ORGANISATION_OUT_OF_REACH, organisation=shown.place.name)
    if shown.day is None:
        told = shown.settled.isoformat()
        return None if name == "seal" else Refused(Code.CLEARING_DAY_NOT_ENDED, day=told)
    try:
        DAY.after(shown.day.state, name)
    except Refused as refusal:
        return refusal
    return _held_up(shown, shown.day, name)


def _held_up(shown: DayShown, day: Day, name: str) -> Refused | None:
    told = day.settlement_date.isoformat()
    if name == "reconcile" and shown.lacking:
        return Refused(Code.CLEARING_NO_FILE, acquirer=shown.lacking[0].code, day=told)
    if name == "net" and day.differences:
        return Refused(Code.CLEARING_NOT_FLAT, day=told, count=day.differences)
    return None


def _sealed(shown: DayShown) -> Day:
    """Raises Refused(CLEARING_DAY_NOT_ENDED)."""
    if shown.day is None:
        raise Refused(Code.CLEARING_DAY_NOT_ENDED, day=shown.settled.isoformat())
    return shown.day
