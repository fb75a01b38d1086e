"""Forms of custody (K5-K7)."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sheka.faces.console.custody.words import options
from sheka.faces.console.forms import Sheet
from sheka.faces.console.templatetags.look import tongue_mark
from sheka.faces.console.words import language
from sheka.office.staff.actors import Actor
from sheka.systems.custody import queries
from sheka.systems.custody.labels import KINDS, METHODS
from sheka.systems.custody.models import Entrustment
from sheka.systems.custody.policy import rules

SELECT = {"class": "govuk-select"}
DAY = {"type": "date", "class": "govuk-input govuk-input--width-10"}
LINES = {"class": "govuk-textarea", "rows": 6, "spellcheck": "false"}
_NEEDED = {
    "required": pgettext_lazy("custody", "Fill this in"),
    "invalid": _("Check what stands here"),
    "invalid_choice": _("Choose one"),
}


class Choice(forms.Select):
    """A choice whose names (people, places, papers) are Chinese on an English page too, and marked so."""

    def create_option(self, name: Any, value: Any, label: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option: dict[str, Any] = super().create_option(name, value, label, *args, **kwargs)
        if tongue_mark(label):
            option["attrs"]["lang"] = "zh-Hans"
        return option


def _line(label: Any, longest: int = 200, **more: Any) -> forms.CharField:
    return forms.CharField(label=label, max_length=longest, error_messages=_NEEDED, **more)


def _choice(label: Any, **more: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, error_messages=_NEEDED, widget=Choice(SELECT), **more)


def _day(label: Any) -> forms.DateField:
    return forms.DateField(label=label, error_messages=_NEEDED, widget=forms.DateInput(DAY, format="%Y-%m-%d"))


class SerialsField(forms.CharField):
    """Serials one a line, or apart by blanks and commas, as a scanner types them."""

    widget = forms.Textarea(LINES)

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]
        return str(value or "").replace(",", " ").replace("，", " ").upper().split()

    def validate(self, value: Any) -> None:
        if self.required and not value:
            raise forms.ValidationError(self.error_messages["required"], code="required")

    def run_validators(self, value: Any) -> None:
        """The actions say what is no serial."""


def _serials(label: Any, required: bool = True) -> SerialsField:
    return SerialsField(label=label, required=required, error_messages=_NEEDED)


class ActorForm(Sheet):
    """A form that knows who fills it in."""

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor = actor
        self.prepare()

    def prepare(self) -> None:
        """What the fields offer to this reader."""


class ReasonForm(ActorForm):
    reason = _line(_("Why, or what happened"))


class OrderForm(ActorForm):
    kind = _choice(_("Kind of carrier"), choices=options(KINDS))
    count = forms.IntegerField(label=pgettext_lazy("custody", "Quantity"), min_value=1, error_messages=_NEEDED)
    purpose = _line(_("What they are for"))


class IssueForm(ActorForm):
    count = forms.IntegerField(label=pgettext_lazy("custody", "Quantity"), min_value=1, error_messages=_NEEDED)
    batch = _line(_("Batch (empty: today)"), 40, required=False)
    serials = _serials(_("Serials printed on the cards (empty: virtual carriers of this node)"), required=False)


class StockForm(IssueForm):
    kind = _choice(_("Kind of carrier"), choices=options(KINDS))
    field_order = ("kind", "count", "batch", "serials")


class HandOverForm(ActorForm):
    purpose = _choice(pgettext_lazy("custody", "Purpose"))
    serials = _serials(_("Serials, one a line"))
    receiver = _choice(_("Receiver in this organisation"), required=False)
    to = _choice(_("Receiving organisation"), required=False)
    bag = _line(_("Number of the sealed bag (with a courier)"), 40, required=False)
    courier = _line(pgettext_lazy("custody", "Courier"), 120, required=False)
    reason = _line(pgettext_lazy("custody", "Reason"))

    def prepare(self) -> None:
        self.fields["purpose"].choices = [
            ("use", _("For use, to a colleague")),
            ("keep", _("Into the store, to a custodian")),
            ("send", _("To another organisation")),
        ]
        self.fields["receiver"].choices = [("", "—"), *colleagues(self.actor)]
        offered = ((row.code, row.label(language())) for row in queries.recipients(self.actor))
        self.fields["to"].choices = [("", "—"), *offered]


class TakeForm(ActorForm):
    bag = _line(_("Number read from the sealed bag"), 40)
    place = _choice(_("Put away in (can be done later)"), required=False)

    def __init__(self, *args: Any, sealed: bool, stored: bool, **kwargs: Any) -> None:
        self.sealed, self.stored = sealed, stored
        super().__init__(*args, **kwargs)

    def prepare(self) -> None:
        if not self.sealed:
            del self.fields["bag"]
        if self.stored:
            self.fields["place"].choices = [("", "—"), *places(self.actor)]
        else:
            del self.fields["place"]


class StoreForm(ActorForm):
    place = _choice(pgettext_lazy("custody", "Place"))

    def prepare(self) -> None:
        self.fields["place"].choices = places(self.actor)


class CheckForm(ActorForm):
    seal_whole = forms.BooleanField(label=_("The seal is whole"), required=False)
    content_same = forms.BooleanField(label=_("The content is as registered"), required=False)
    remark = _line(_("What is wrong, if something is"), required=False)

    def prepare(self) -> None:
        for name in ("seal_whole", "content_same"):
            self.fields[name].widget.attrs["class"] = "check__box"


class PlaceForm(ActorForm):
    name = _line(_("Name of the place: safe, cabinet, shelf"), 60)
    parent = _choice(pgettext_lazy("custody", "Part of"), required=False)

    def prepare(self) -> None:
        self.fields["parent"].choices = [("", "—"), *places(self.actor)]


class CountForm(ActorForm):
    serials = _serials(_("Every serial that lies there, one a line"), required=False)


class PartyForm(ActorForm):
    party = _choice(pgettext_lazy("custody", "Third party"))
    purpose = _line(_("What it needs them for"))

    def prepare(self) -> None:
        self.fields["party"].choices = [(row.code, row.label(language())) for row in queries.parties(self.actor)]


class FilingForm(ActorForm):
    party = _choice(pgettext_lazy("custody", "Supplier"))
    number = _line(_("Number of the filing"), 60)
    filed_on = _day(pgettext_lazy("custody", "Filed on"))
    valid_to = _day(_("Valid until"))
    prepare = PartyForm.prepare


class FileForm(ActorForm):
    """A form about one third-party file."""

    def __init__(self, *args: Any, file: Entrustment, **kwargs: Any) -> None:
        self.file = file
        super().__init__(*args, **kwargs)

    def kept(self, kind: str) -> list[tuple[str, str]]:
        """The documents of a kind that are kept with the file."""
        rows = queries.kept_with(self.actor, self.file, kind)
        return [(str(row.pk), f"{row.label} · {row.digest[:8]}") for row in rows]


class AgreementForm(FileForm):
    document = _choice(_("The agreement that both signed, kept with this file"))
    valid_to = _day(_("Valid until"))

    def prepare(self) -> None:
        self.fields["document"].choices = self.kept("confidentiality_agreement")


class PlanForm(FileForm):
    document = _choice(_("The security plan, kept with this file"))

    def prepare(self) -> None:
        self.fields["document"].choices = self.kept("security_plan")


class SupervisionForm(FileForm):
    supervisor = _choice(_("Supervisor, one of our own people"))
    return_by = _day(pgettext_lazy("custody", "Back on"))

    def prepare(self) -> None:
        self.fields["supervisor"].choices = colleagues(self.actor)


class HandToPartyForm(FileForm):
    serials = _serials(_("Serials, one a line"))
    outsider = _line(_("Who takes them, name and identity document seen"), 120)


class BringBackForm(FileForm):
    serials = _serials(_("Serials, one a line"))
    receiver = _choice(_("Custodian who receives them"))
    outsider = _line(_("Who brings them, name and identity document seen"), 120)

    def prepare(self) -> None:
        self.fields["receiver"].choices = colleagues(self.actor)


class ReportForm(FileForm):
    seen = forms.CharField(
        label=pgettext_lazy("custody", "What was seen"),
        max_length=2000,
        widget=forms.Textarea(LINES),
        error_messages=_NEEDED,
    )
    in_order = forms.ChoiceField(
        label=_("Everything in order?"),
        choices=(("yes", pgettext_lazy("custody", "Yes")), ("no", _("No: an incident is reported at once"))),
        widget=forms.Select(SELECT),
    )
    document = _choice(_("Report kept with this file (where there is one)"), required=False)

    def prepare(self) -> None:
        self.fields["document"].choices = [("", "—"), *self.kept("supervision_report")]


class DestructionForm(ActorForm):
    serials = _serials(_("Serials, one a line"))
    method = _choice(pgettext_lazy("custody", "Method"))
    reason = _line(pgettext_lazy("custody", "Reason"))

    def prepare(self) -> None:
        self.fields["method"].choices = [row for row in options(METHODS) if row[0] in rules().methods]


def places(actor: Actor) -> list[tuple[str, str]]:
    """The places of the actor's organisation, each with what it is part of."""
    return [(str(row.pk), str(row)) for row in queries.places(actor)]


def colleagues(actor: Actor) -> list[tuple[str, str]]:
    """The actor's colleagues; the log-in name tells two of one name apart."""
    people = list(queries.colleagues(actor))
    called = Counter(row.name for row in people)
    return [(row.login, row.name if called[row.name] == 1 else f"{row.name} ({row.login})") for row in people]
