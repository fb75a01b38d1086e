"""What a person writes about a request: a verdict with its reason, a completion, a reassignment, a lending."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sheka.faces.console.forms import Sheet
from sheka.faces.console.words import in_chinese, language
from sheka.office.approvals.matters import Matter

VERDICTS = (
    ("approve", pgettext_lazy("verdict", "Approve")),
    ("supplement", pgettext_lazy("verdict", "Return for completion")),
    ("reject", pgettext_lazy("verdict", "Reject")),
)
_AREA = "govuk-textarea"


class DecideForm(Sheet):
    """The verdict about the digest and the step that stood on the page."""

    verdict = forms.ChoiceField(
        choices=VERDICTS,
        error_messages={"required": _("Choose a verdict"), "invalid_choice": _("Choose a verdict")},
    )
    reason = forms.CharField(
        label=_("Reason"), required=False, max_length=1000, widget=forms.Textarea({"class": _AREA, "rows": 3})
    )
    digest = forms.CharField(max_length=64)
    step = forms.IntegerField(min_value=0)

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        against = found.get("verdict") in ("supplement", "reject")
        if against and not found.get("reason", "").strip() and "reason" not in self.errors:
            self.add_error("reason", _("Write what is missing, or why not: the author reads it"))
        return found


class CompleteForm(Sheet):
    """The fields of the request that may be changed, as the matter declares them, and what was changed."""

    note = forms.CharField(
        label=_("What you changed"),
        max_length=500,
        error_messages={"required": _("Say what you changed: the deciders read it first")},
        widget=forms.Textarea({"class": _AREA, "rows": 2}),
    )

    def __init__(self, *args: Any, matter: Matter, payload: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.paths: dict[str, str] = {}
        for number, field in enumerate(field for field in matter.fields if field.edit):
            name, value = f"field_{number}", field.value_in(payload)
            self.paths[name] = field.path
            self.fields[name] = _input(field.title.text(language()), value, field.long)
        self.order_fields([*self.paths, "note"])

    def changes(self) -> dict[str, Any]:
        """Path → value. The form must be valid."""
        return {path: self.cleaned_data[name] for name, path in self.paths.items()}


class ReassignForm(Sheet):
    """To one of those who could decide it, or back to all of them."""

    to = forms.ChoiceField(label=pgettext_lazy("reassign", "To whom"))
    reason = forms.CharField(label=_("Reason"), max_length=200, error_messages={"required": _("Write a line first")})

    def __init__(self, *args: Any, people: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["to"].choices = [("", _("Back to everybody who may decide it")), *people]
        self.fields["to"].required = False


class WithdrawForm(Sheet):
    reason = forms.CharField(label=_("Reason"), max_length=200, error_messages={"required": _("Write a line first")})


class LendForm(Sheet):
    """Which right, to whom, from when until when, why."""

    permission = forms.ChoiceField(
        label=_("Which right"),
        error_messages={"required": _("Choose a right"), "invalid_choice": _("Choose a right")},
    )
    to = forms.TypedChoiceField(
        label=_("To which colleague"),
        coerce=int,
        error_messages={"required": _("Choose a colleague"), "invalid_choice": _("Choose a colleague")},
    )
    valid_from = forms.DateField(
        label=_("From"),
        error_messages={"required": _("Enter a day"), "invalid": _("Enter a day")},
        widget=forms.DateInput({"type": "date", "class": "govuk-input govuk-input--width-10"}, format="%Y-%m-%d"),
    )
    valid_to = forms.DateField(
        label=_("Until, this day no longer included"),
        error_messages={"required": _("Enter a day"), "invalid": _("Enter a day")},
        widget=forms.DateInput({"type": "date", "class": "govuk-input govuk-input--width-10"}, format="%Y-%m-%d"),
    )
    reason = forms.CharField(label=_("Reason"), max_length=200, error_messages={"required": _("Write a line first")})

    def __init__(self, *args: Any, rights: list[tuple[str, str]], people: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["permission"].choices = rights
        self.fields["to"].choices = [("", "—"), *people]


def _input(label: str, value: Any, long: bool) -> forms.Field:
    """A control for a value of a payload: whole numbers stay whole numbers."""
    missing = {"required": _("This cannot be empty"), "invalid": _("Enter a whole number")}
    if isinstance(value, int):
        widget = forms.NumberInput({"class": "govuk-input govuk-input--width-10"})
        return forms.IntegerField(label=label, initial=value, error_messages=missing, widget=widget)
    tongue = {} if in_chinese() or not str(value).strip() or str(value).isascii() else {"lang": "zh-Hans"}
    area = forms.Textarea({"class": _AREA, "rows": 2, **tongue})
    shape = area if long else forms.TextInput({"class": "govuk-input", **tongue})
    return forms.CharField(label=label, initial=value, max_length=4000, error_messages=missing, widget=shape)
