"""Forms about clients."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sheka.faces.console.forms import ReasonForm, Sheet
from sheka.faces.console.rights import right_word
from sheka.faces.console.words import language
from sheka.office.clients.policy import client_policy
from sheka.office.organisations.queries import organisations_below
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission

YEAR = timedelta(days=365)


class MakeForm(Sheet):
    """A new client: whose, which program, what it may do, until when, how often."""

    organisation = forms.ChoiceField(label=_("For which organisation"), widget=forms.Select({"class": "govuk-select"}))
    name = forms.CharField(
        label=_("Which program uses it"), max_length=80, error_messages={"required": _("Name the program")}
    )
    scopes = forms.MultipleChoiceField(
        label=_("What it may do"),
        widget=forms.CheckboxSelectMultiple({"class": "tick"}),
        error_messages={"required": _("Choose at least one thing that it may do")},
    )
    valid_to = forms.DateField(
        label=_("Until which day, no longer counting"),
        widget=forms.DateInput({"type": "date", "class": "govuk-input govuk-input--width-10"}, format="%Y-%m-%d"),
        error_messages={"required": _("Enter the last day"), "invalid": _("Enter the last day")},
    )
    a_minute = forms.IntegerField(
        label=_("Requests a minute, at most"),
        min_value=1,
        widget=forms.NumberInput({"class": "govuk-input govuk-input--width-5"}),
    )

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        policy, today = client_policy(), timezone.localdate()
        places = organisations_below(actor).filter(kind__in=policy.kinds).order_by("path")
        self.fields["organisation"].choices = [(row.code, row.label(language())) for row in places]
        held = sorted(frozenset().union(*(policy.scopes(row.kind) for row in places)))
        self.fields["scopes"].choices = [(scope.value, right_word(scope.value)) for scope in held]
        self.fields["valid_to"].initial = today + YEAR
        self.fields["a_minute"].initial = policy.a_minute
        self.fields["a_minute"].max_value = policy.most_a_minute

    def given(self) -> dict[str, Any]:
        """What make_client takes. The form must be valid."""
        data = self.cleaned_data
        return {
            "organisation_code": data["organisation"],
            "name": data["name"],
            "scopes": [Permission(scope) for scope in data["scopes"]],
            "valid_to": data["valid_to"],
            "a_minute": data["a_minute"],
        }


class RotateForm(Sheet):
    """Whether the earlier secret works on for a time."""

    at_once = forms.BooleanField(
        label=_("The secret may have leaked: end the earlier ones at once"),
        required=False,
        widget=forms.CheckboxInput({"class": "tick"}),
    )


class EndForm(Sheet):
    """Why it ends."""

    text = ReasonForm.base_fields["text"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["text"].label = _("Why?")
