"""Forms of the work queue: until when and for what, to whom."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from sheka.faces.console.forms import Sheet
from sheka.faces.console.words import in_chinese
from sheka.office.staff.models import StaffMember


class People(forms.Select):
    """A choice of people. Their names are Chinese on every page, and marked so on an English one."""

    def create_option(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option: dict[str, Any] = super().create_option(*args, **kwargs)
        if option["value"] and not in_chinese():
            option["attrs"]["lang"] = "zh-Hans"
        return option


class PostponeForm(Sheet):
    """A day and a reason; the action judges both."""

    until = forms.DateField(
        label=_("Wait until"),
        error_messages={"required": _("Choose a day"), "invalid": _("Choose a day")},
        widget=forms.DateInput({"type": "date", "class": "govuk-input govuk-input--width-10"}, format="%Y-%m-%d"),
    )
    reason = forms.CharField(
        label=_("What do you wait for?"),
        max_length=200,
        min_length=2,
        error_messages={"required": _("Write a line first"), "min_length": _("Write a whole sentence")},
    )


class AssignForm(Sheet):
    """One of the people who can be given the work."""

    to = forms.TypedChoiceField(
        label=_("Assign to"),
        coerce=int,
        error_messages={"required": _("Choose a person"), "invalid_choice": _("Choose a person")},
        widget=People({"class": "govuk-select"}),
    )

    def __init__(self, *args: Any, people: Iterable[StaffMember], places: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["to"]
        field.choices = [
            ("", "—"),
            *((person.pk, f"{person.name} · {person.organisation}" if places else person.name) for person in people),
        ]
