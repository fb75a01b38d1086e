"""Forms about people: appointing, roles, moving, starting again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sheka.faces.console.account.words import LOST
from sheka.faces.console.forms import ReasonForm, Sheet
from sheka.faces.console.words import language
from sheka.foundation.numbers import SocialSecurityNumber
from sheka.foundation.refusals import Refused
from sheka.office.organisations.queries import organisations_below
from sheka.office.staff.actors import Actor
from sheka.office.staff.models import StaffMember
from sheka.office.staff.permissions import role_titles
from sheka.office.staff.queries import grantable

SELECT = {"class": "govuk-select"}
DAY = {"type": "date", "class": "govuk-input govuk-input--width-10"}
YEAR = timedelta(days=365)


def places_of(actor: Actor) -> list[tuple[str, str]]:
    """Where the actor may appoint people, in the order of the tree."""
    return [(row.code, row.label(language())) for row in organisations_below(actor).order_by("path")]


class AboutPerson(Sheet):
    """A form that knows who asks and about whom."""

    def __init__(self, *args: Any, actor: Actor, staff: StaffMember | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor, self.staff = actor, staff
        self.prepare()

    def prepare(self) -> None:
        """What the fields offer to this reader about this person."""


class WhyForm(AboutPerson):
    text = ReasonForm.base_fields["text"]

    def prepare(self) -> None:
        self.fields["text"].label = _("Why?")


class AppointForm(AboutPerson):
    login = forms.CharField(
        label=_("Log-in name: small letters, digits, hyphens"),
        max_length=40,
        error_messages={"required": _("Enter a log-in name")},
        widget=forms.TextInput({"autocapitalize": "none", "spellcheck": "false"}),
    )
    name = forms.CharField(label=_("Full name"), max_length=60, error_messages={"required": _("Enter the name")})
    person = forms.CharField(
        label=_("Citizen number of the person; only its digest is kept"),
        max_length=18,
        error_messages={"required": _("Enter the number")},
        widget=forms.TextInput({"class": "govuk-input govuk-input--width-20 number", "spellcheck": "false"}),
    )
    organisation = forms.ChoiceField(label=_("Organisation"), widget=forms.Select(SELECT))

    def prepare(self) -> None:
        self.fields["organisation"].choices = places_of(self.actor)  # type: ignore[attr-defined]

    def clean_person(self) -> str:
        """The number must be one that a person can have."""
        try:
            return SocialSecurityNumber.parse(self.cleaned_data["person"]).text
        except Refused as refusal:
            raise forms.ValidationError(refusal.text(language())) from refusal


class GrantForm(AboutPerson):
    role = forms.ChoiceField(label=_("Role"), widget=forms.Select(SELECT))
    valid_from = forms.DateField(
        label=_("From"), error_messages={"required": _("Enter a day"), "invalid": _("Enter a day")}
    )
    valid_to = forms.DateField(
        label=_("Until, no longer counting"), error_messages={"required": _("Enter a day"), "invalid": _("Enter a day")}
    )

    def prepare(self) -> None:
        today = timezone.localdate()
        assert self.staff is not None
        titles = role_titles()
        self.fields["role"].choices = [  # type: ignore[attr-defined]
            (role, titles[role].text(language())) for role in grantable(self.staff)
        ]
        for name, value in (("valid_from", today), ("valid_to", today + YEAR)):
            self.fields[name].widget = forms.DateInput({**DAY, "autocomplete": "off"}, format="%Y-%m-%d")
            self.fields[name].initial = value


class TransferForm(WhyForm):
    organisation = forms.ChoiceField(label=_("To which organisation"), widget=forms.Select(SELECT))
    field_order = ("organisation", "text")

    def prepare(self) -> None:
        super().prepare()
        assert self.staff is not None
        here = self.staff.organisation_id
        choices = [place for place in places_of(self.actor) if place[0] != here]
        self.fields["organisation"].choices = choices  # type: ignore[attr-defined]


class RenameForm(WhyForm):
    name = forms.CharField(label=_("New name"), max_length=60, error_messages={"required": _("Enter the name")})
    field_order = ("name", "text")


class StartAgainForm(WhyForm):
    lost = forms.ChoiceField(label=_("What was lost"), choices=list(LOST.items()), widget=forms.Select(SELECT))
    field_order = ("lost", "text")


class PurposeForm(WhyForm):
    def prepare(self) -> None:
        self.fields["text"].label = _("For what purpose?")
