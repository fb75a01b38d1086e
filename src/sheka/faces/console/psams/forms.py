"""Forms about PSAMs and blocks."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sheka.faces.console.forms import Sheet
from sheka.faces.console.psams.words import offered
from sheka.systems.psams.labels import FORMS, MODES
from sheka.systems.transactions.block_subjects import TITLES

SELECT = {"class": "govuk-select"}
NUMBER = {"class": "govuk-input govuk-input--width-20 number", "spellcheck": "false"}


class TerminalForm(Sheet):
    """Which terminal it goes into."""

    terminal = forms.RegexField(
        r"^[0-9]{12}$",
        label=_("Terminal number, twelve digits"),
        error_messages={
            "required": _("Enter the terminal's number"),
            "invalid": _("A terminal's number has 12 digits"),
        },
        widget=forms.TextInput({**NUMBER, "inputmode": "numeric"}),
    )


class ReceiverForm(Sheet):
    """Who takes it at the institution."""

    receiver = forms.CharField(
        label=_("Who receives it at the institution"),
        max_length=60,
        error_messages={"required": _("Say who receives it")},
    )


class FactsForm(Sheet):
    """How it is used, from a day on."""

    form = forms.ChoiceField(label=_("Physical form"), widget=forms.Select(SELECT))
    conditions = forms.CharField(
        label=_("External conditions: where it stands, temperature, damp, who can get at it"),
        max_length=200,
        error_messages={"required": _("Describe the conditions")},
    )
    mode = forms.ChoiceField(label=_("Mode of use"), widget=forms.Select(SELECT))
    since = forms.DateField(
        label=_("So since"), widget=forms.DateInput({"type": "date", "class": "govuk-input govuk-input--width-10"})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"since": timezone.localdate()})
        super().__init__(*args, **kwargs)
        self.fields["form"].choices = offered(FORMS)  # type: ignore[attr-defined]
        self.fields["mode"].choices = offered(MODES)  # type: ignore[attr-defined]


class OrderForm(Sheet):
    """An order of PSAMs to the ministry."""

    count = forms.IntegerField(
        label=_("How many PSAMs"),
        min_value=1,
        max_value=100_000,
        error_messages={"required": _("Enter a number of PSAMs")},
        widget=forms.NumberInput({"class": "govuk-input govuk-input--width-5"}),
    )
    purpose = forms.CharField(
        label=_("What the PSAMs are for"),
        max_length=200,
        min_length=2,
        error_messages={"required": _("Say what the PSAMs are for")},
    )


class BlockForm(Sheet):
    """What is to be refused at the switch."""

    kind = forms.ChoiceField(label=_("What kind it is"), widget=forms.Select(SELECT))
    subject = forms.CharField(
        label=_("Its number; a range as first-last, a key as name/version"),
        max_length=40,
        error_messages={"required": _("Enter what is to be blocked")},
        widget=forms.TextInput(NUMBER),
    )
    reason = forms.CharField(
        label=_("Why it is blocked"),
        max_length=200,
        min_length=2,
        error_messages={"required": _("Say why it is blocked")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = offered(TITLES)  # type: ignore[attr-defined]
