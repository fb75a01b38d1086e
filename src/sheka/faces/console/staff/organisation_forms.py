"""Forms about organisations."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sheka.faces.console.forms import ReasonForm, Sheet
from sheka.faces.console.staff.forms import DAY, SELECT, places_of
from sheka.office.organisations.models import Kind, Organisation
from sheka.office.staff.actors import Actor

KINDS: dict[str, str | Promise] = {
    "ministry": _("Ministry"),
    "province": _("Province"),
    "city": _("City"),
    "district": _("District"),
    "outlet": _("Service outlet"),
    "card_centre": _("Card centre outlet"),
    "hospital": _("Hospital"),
    "pharmacy": _("Pharmacy"),
    "bank": _("Bank"),
    "card_factory": _("Card factory"),
    "psam_supplier": _("PSAM supplier"),
    "machine_supplier": _("Machine supplier"),
    "security_company": _("Security company"),
}


class AddForm(Sheet):
    """`under`: the code of the superior that is offered first."""

    parent = forms.ChoiceField(label=_("Superior"), widget=forms.Select(SELECT))
    kind = forms.ChoiceField(
        label=_("Kind"),
        choices=[(kind.value, KINDS[kind.value]) for kind in Kind if kind is not Kind.MINISTRY],
        widget=forms.Select(SELECT),
    )
    code = forms.CharField(
        label=_("Organisation code"), max_length=20, error_messages={"required": _("Enter the organisation code")}
    )
    name = forms.CharField(label=_("Name in Chinese"), max_length=120, error_messages={"required": _("Enter the name")})
    name_en = forms.CharField(
        label=_("Name in English"), max_length=120, error_messages={"required": _("Enter the name")}
    )
    region = forms.RegexField(
        r"^\d{6}$",
        label=_("Region, six digits"),
        error_messages={"required": _("Enter six digits"), "invalid": _("Enter six digits")},
    )
    valid_from = forms.DateField(
        label=_("From"), error_messages={"required": _("Enter a day"), "invalid": _("Enter a day")}
    )

    def __init__(self, *args: Any, actor: Actor, under: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["parent"].choices = places_of(actor)  # type: ignore[attr-defined]
        self.fields["parent"].initial = under
        self.fields["valid_from"].widget = forms.DateInput({**DAY, "autocomplete": "off"}, format="%Y-%m-%d")
        self.fields["valid_from"].initial = timezone.localdate()
        for name in ("code", "region"):
            self.fields[name].widget.attrs["class"] = "govuk-input govuk-input--width-10 number"


class MoveForm(Sheet):
    to = forms.ChoiceField(label=_("To which superior"), widget=forms.Select(SELECT))
    reason = ReasonForm.base_fields["text"]

    def __init__(self, *args: Any, actor: Actor, place: Organisation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        outside = [row for row in places_of(actor) if row[0] not in (place.code, place.parent_id)]
        self.fields["to"].choices = outside  # type: ignore[attr-defined]
        self.fields["reason"].label = _("Why?")


class CloseForm(Sheet):
    on = forms.DateField(
        label=_("From which day"), error_messages={"required": _("Enter a day"), "invalid": _("Enter a day")}
    )
    reason = ReasonForm.base_fields["text"]

    def __init__(self, *args: Any, actor: Actor, place: Organisation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["on"].widget = forms.DateInput({**DAY, "autocomplete": "off"}, format="%Y-%m-%d")
        self.fields["on"].initial = timezone.localdate()
        self.fields["reason"].label = _("Why?")


class NamesForm(Sheet):
    name = AddForm.base_fields["name"]
    name_en = AddForm.base_fields["name_en"]

    def __init__(self, *args: Any, actor: Actor, place: Organisation, **kwargs: Any) -> None:
        super().__init__(*args, initial={"name": place.name, "name_en": place.name_en}, **kwargs)
