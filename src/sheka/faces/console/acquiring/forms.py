"""Forms about institutions and terminals."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sheka.equipment.encryption_machine.model import KeyInfo
from sheka.faces.console.accounts.forms import Yuan
from sheka.faces.console.acquiring.words import CHANNELS, KEYS_FOR, KINDS, PROFILES, offered
from sheka.faces.console.forms import Sheet
from sheka.systems.transactions.onboarding import versions

SELECT = {"class": "govuk-select"}
NUMBER = {"class": "govuk-input govuk-input--width-20 number", "spellcheck": "false"}
DATE = {"type": "date", "class": "govuk-input govuk-input--width-10"}
MOST_TERMINALS = 100


class InstitutionForm(Sheet):
    """What is registered of an institution, beside its code."""

    name = forms.CharField(
        label=_("Name of the institution"),
        max_length=120,
        error_messages={"required": _("Enter the institution's name")},
    )
    kind = forms.ChoiceField(label=_("What it is"), widget=forms.Select(SELECT))
    contract = forms.CharField(label=_("Contract number"), max_length=60, required=False)
    contract_from = forms.DateField(
        label=_("Contract from"), required=False, widget=forms.DateInput(DATE, format="%Y-%m-%d")
    )
    contract_to = forms.DateField(
        label=_("Contract until, no longer counting"), required=False, widget=forms.DateInput(DATE, format="%Y-%m-%d")
    )
    region = forms.RegexField(
        r"^[0-9]{6}$",
        label=_("Region code, six digits"),
        error_messages={"required": _("Enter the region"), "invalid": _("A region code has six digits")},
        widget=forms.TextInput({**NUMBER, "inputmode": "numeric"}),
    )
    address = forms.CharField(label=_("Postal address"), max_length=200, required=False)
    contact = forms.CharField(label=_("Whom to ask there"), max_length=60, required=False)
    phone = forms.CharField(
        label=_("Telephone of the institution"), max_length=30, required=False, widget=forms.TextInput(NUMBER)
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = offered(KINDS)  # type: ignore[attr-defined]


class RegisterForm(InstitutionForm):
    """A new institution."""

    code = forms.RegexField(
        r"^[0-9A-Za-z]{1,14}$",
        label=_("Code of the institution"),
        error_messages={
            "required": _("Enter the institution's code"),
            "invalid": _("A code has up to 14 letters and digits"),
        },
        widget=forms.TextInput(NUMBER),
    )
    field_order = ("code", "name", "kind")


class PlacingForm(Sheet):
    """What a terminal is and where it stands."""

    model = forms.CharField(label=_("Model"), max_length=60, required=False)
    serial = forms.CharField(
        label=_("Serial number of the device"), max_length=40, required=False, widget=forms.TextInput(NUMBER)
    )
    software = forms.CharField(label=_("Version of its software"), max_length=60, required=False)
    place = forms.CharField(label=_("Where it stands"), max_length=200, required=False)
    region = forms.RegexField(
        r"^[0-9]{6}$",
        label=_("Region code, six digits"),
        required=False,
        error_messages={"invalid": _("A region code has six digits")},
        widget=forms.TextInput({**NUMBER, "inputmode": "numeric"}),
    )
    latitude = forms.DecimalField(
        label=_("Latitude in degrees, about"),
        required=False,
        min_value=-90,
        max_value=90,
        decimal_places=3,
        widget=forms.NumberInput({"class": "govuk-input govuk-input--width-10", "step": "0.001"}),
    )
    longitude = forms.DecimalField(
        label=_("Longitude in degrees, about"),
        required=False,
        min_value=-180,
        max_value=180,
        decimal_places=3,
        widget=forms.NumberInput({"class": "govuk-input govuk-input--width-10", "step": "0.001"}),
    )

    def given(self) -> dict[str, Any]:
        """What was filled in; an empty region is left as it is."""
        return {name: value for name, value in self.cleaned_data.items() if name != "region" or value}


class NumbersField(forms.CharField):
    """Twelve-digit numbers, one a line or apart by spaces."""

    def clean(self, value: Any) -> list[str]:
        found = re.split(r"[\s,，、;；]+", super().clean(value).strip())
        if not all(re.fullmatch(r"[0-9]{12}", one) for one in found) or len(found) > MOST_TERMINALS:
            raise forms.ValidationError(_("Each terminal's number has 12 digits; at most 100 at once"))
        return found


class TerminalsForm(PlacingForm):
    """New terminals of one make at one place."""

    numbers = NumbersField(
        label=_("Numbers of the terminals, one a line"),
        widget=forms.Textarea({"class": "govuk-textarea number", "rows": 3, "spellcheck": "false"}),
        error_messages={"required": _("Enter at least one number")},
    )
    channel = forms.ChoiceField(label=_("How it speaks"), widget=forms.Select(SELECT))
    field_order = ("numbers", "channel")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["channel"].choices = offered(CHANNELS)  # type: ignore[attr-defined]


class TestingForm(Sheet):
    """Which version of the interface and of the institution's software is tested, at which test terminals."""

    protocol = forms.ChoiceField(label=_("Version of the interface"), widget=forms.Select(SELECT))
    software = forms.CharField(
        label=_("Version of the institution's software"),
        max_length=60,
        error_messages={"required": _("Enter the version")},
    )
    channel = forms.ChoiceField(label=_("How it speaks"), widget=forms.Select(SELECT))
    terminals = NumbersField(
        label=_("Numbers of the test terminals, one a line"),
        widget=forms.Textarea({"class": "govuk-textarea number", "rows": 2, "spellcheck": "false"}),
        error_messages={"required": _("Enter at least one number")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        today = timezone.localdate()
        known = [(one.protocol, one.protocol) for one in versions() if one.in_force(today)]
        self.fields["protocol"].choices = known  # type: ignore[attr-defined]
        self.fields["channel"].choices = offered(CHANNELS)  # type: ignore[attr-defined]


class CertificateForm(Sheet):
    """A certificate of the institution's lines."""

    pem = forms.CharField(
        label=_("The certificate in PEM"),
        max_length=16_384,
        widget=forms.Textarea({"class": "govuk-textarea number", "rows": 8, "spellcheck": "false"}),
        error_messages={"required": _("Paste the certificate")},
    )


class TestCardForm(Sheet):
    """A card that is set apart for tests."""

    __test__ = False

    card_number = forms.RegexField(
        r"^[0-9A-Z]{9}$",
        label=_("Number of the card for tests"),
        error_messages={"required": _("Enter the card's number"), "invalid": _("A card number has nine characters")},
        widget=forms.TextInput(NUMBER),
    )


class TestMoneyForm(Sheet):
    """How much test money; `once` is the id under which it is paid in."""

    __test__ = False

    amount = Yuan(label=_("Amount in yuan"), error_messages={"required": _("Enter an amount")})
    once = forms.UUIDField(widget=forms.HiddenInput)


class ProfileForm(Sheet):
    """The algorithm of an institution's messages, and whom its working keys serve."""

    profile = forms.ChoiceField(label=_("Algorithm of its messages"), widget=forms.Select(SELECT))
    keys_for = forms.ChoiceField(label=_("Whom a working key serves"), widget=forms.Select(SELECT))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["profile"].choices = offered(PROFILES)  # type: ignore[attr-defined]
        self.fields["keys_for"].choices = offered(KEYS_FOR)  # type: ignore[attr-defined]


class TransportKeyForm(Sheet):
    """Which key of the machine carries an institution's working keys."""

    reference = forms.ChoiceField(
        label=_("Transport key, with its check value"),
        widget=forms.Select(SELECT),
        error_messages={
            "required": _(
                "The machine holds no transport key of this algorithm: enter one with sheka line transport-key"
            ),
            "invalid_choice": _("Choose one of the keys that the machine holds"),
        },
    )

    def offer(self, keys: list[KeyInfo], *, instead: str = "") -> None:
        """The keys that the bureau's machine holds for it; without one, why there is none."""
        field = self.fields["reference"]
        self.lacks = "" if keys else instead or str(field.error_messages["required"])
        known = [(key.ref, f"{key.name} · {key.check_value}") for key in keys]
        field.choices = known or [("", self.lacks)]  # type: ignore[attr-defined]


class PinForm(Sheet):
    """A PIN block as the counter's PIN pad made it."""

    terminal = forms.RegexField(
        r"^[0-9]{12}$",
        label=_("Number of the PIN pad's terminal"),
        error_messages={
            "required": _("Enter the terminal's number"),
            "invalid": _("A terminal's number has 12 digits"),
        },
        widget=forms.TextInput({**NUMBER, "inputmode": "numeric"}),
    )
    block = forms.RegexField(
        r"^(?:[0-9A-Fa-f]{16}|[0-9A-Fa-f]{32})$",
        label=_("PIN block that the pad answered, in hexadecimal"),
        error_messages={
            "required": _("Let the holder enter the PIN at the pad: it writes the block here"),
            "invalid": _("A PIN block has 16 or 32 hexadecimal digits; never enter the PIN itself"),
        },
        widget=forms.TextInput({"class": "govuk-input number", "spellcheck": "false"}),
    )
