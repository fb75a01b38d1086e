"""Forms about accounts."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sheka.faces.console.forms import Sheet
from sheka.faces.console.words import language
from sheka.foundation.money import parse_yuan
from sheka.foundation.refusals import Refused
from sheka.systems.accounts.queries_of_pages import cities_beside

SELECT = {"class": "govuk-select"}
DATE = {"type": "date", "class": "govuk-input govuk-input--width-10"}
NUMBER = {"class": "govuk-input govuk-input--width-20 number", "spellcheck": "false"}
HEIRS = 4


class Yuan(forms.Field):
    """An amount in yuan as somebody writes it; its value is fen."""

    def __init__(self, **options: Any) -> None:
        widget = forms.TextInput({"class": "govuk-input govuk-input--width-10", "inputmode": "decimal"})
        super().__init__(widget=widget, **options)

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        try:
            return parse_yuan(str(value)[:24])
        except Refused as refusal:
            raise forms.ValidationError(refusal.text(language())) from None


class OrderedForm(Sheet):
    """Why, and by which document."""

    reason = forms.CharField(
        label=_("Reason"),
        min_length=2,
        max_length=300,
        error_messages={"required": _("Say why"), "min_length": _("Write a whole sentence")},
    )
    document = forms.CharField(
        label=_("Number of the document"),
        min_length=2,
        max_length=80,
        error_messages={"required": _("Enter the number of the document")},
        widget=forms.TextInput(NUMBER),
    )


class AmountForm(OrderedForm):
    """How much, why, by which document."""

    amount = Yuan(label=_("Amount in yuan"), error_messages={"required": _("Enter an amount")})
    field_order = ("amount",)


class CorrectionForm(AmountForm):
    """How much of a posting is taken back."""


class MoveForm(OrderedForm):
    """To which city of this node."""

    to = forms.ChoiceField(label=_("City of the new home"), widget=forms.Select(SELECT))
    field_order = ("to",)

    def __init__(self, *args: Any, home: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cities = [(one.code, one.label(language())) for one in cities_beside(home)]
        self.fields["to"].choices = cities  # type: ignore[attr-defined]


class PayeeForm(OrderedForm):
    """To which bank account."""

    name = forms.CharField(
        label=_("Payee"), min_length=2, max_length=150, error_messages={"required": _("Enter the payee")}
    )
    bank = forms.CharField(
        label=pgettext_lazy("accounts", "Bank"),
        min_length=2,
        max_length=120,
        error_messages={"required": _("Enter the bank")},
    )
    bank_account = forms.RegexField(
        r"^[0-9][0-9 -]{6,40}[0-9]$",
        label=_("Bank account"),
        error_messages={"required": _("Enter the bank account"), "invalid": _("A bank account has 8 to 32 digits")},
        widget=forms.TextInput({**NUMBER, "inputmode": "numeric"}),
    )
    field_order = ("name", "bank", "bank_account")


class OutsideForm(PayeeForm):
    """The agency of an area outside."""

    area = forms.CharField(
        label=_("Area of the new home"), min_length=2, max_length=60, error_messages={"required": _("Enter the area")}
    )
    field_order = ("area", "name", "bank", "bank_account")


class InheritForm(OrderedForm):
    """The heirs; rows that are empty do not count."""

    rule = forms.ChoiceField(label=_("How the balance is divided"), widget=forms.Select(SELECT))
    field_order = ("rule",)

    def __init__(self, *args: Any, rows: int = HEIRS, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rows = rows
        rules = (("equal", _("In equal parts")), ("given", _("By the parts below, as agreed or decided by a court")))
        self.fields["rule"].choices = rules  # type: ignore[attr-defined]
        for n in range(1, self.rows + 1):
            for name, label, length in (
                ("name", pgettext_lazy("accounts", "Name"), 150),
                ("relation", _("Relation"), 40),
                ("parts", _("Share: 2, 1/3 or 33.5%"), 12),
                ("account", _("Personal account here, or"), 29),
                ("bank", pgettext_lazy("accounts", "Bank"), 120),
                ("bank_account", _("Bank account"), 42),
            ):
                field = forms.CharField(label=label, max_length=length, required=False)
                field.widget.attrs |= {"class": "govuk-input", "autocomplete": "off"}
                self.fields[f"{name}_{n}"] = field

    def heirs(self) -> list[tuple[int, list[Any]]]:
        """The rows of the table: number and bound fields."""
        names = ("name", "relation", "parts", "account", "bank", "bank_account")
        return [(n, [self[f"{name}_{n}"] for name in names]) for n in range(1, self.rows + 1)]

    def given(self) -> list[dict[str, Any]]:
        """The heirs as the action takes them."""
        data = self.cleaned_data
        found = []
        for n in range(1, self.rows + 1):
            names = ("name", "relation", "account", "bank", "bank_account")
            row = {name: data[f"{name}_{n}"].strip() for name in names}
            if any(row.values()):
                found.append({**row, "parts": data[f"parts_{n}"].strip()})
        return found


class LatePaymentForm(PayeeForm):
    """Who gets money that came after an account's end; empty payees: whoever got the balance."""

    def __init__(self, *args: Any, known: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("name", "bank", "bank_account"):
            if known:
                del self.fields[name]


class PeriodForm(Sheet):
    """From a day to a day."""

    since = forms.DateField(label=_("First day"), widget=forms.DateInput(DATE, format="%Y-%m-%d"))
    until = forms.DateField(label=_("Last day"), widget=forms.DateInput(DATE, format="%Y-%m-%d"))


class FileForm(Sheet):
    """A file of deposits."""

    file = forms.FileField(
        label=_("File of deposits"),
        max_length=120,
        error_messages={"required": _("Choose a file"), "empty": _("The file is empty")},
        widget=forms.FileInput({"class": "govuk-file-upload"}),
    )


class YearForm(Sheet):
    """Which year's interest."""

    year = forms.TypedChoiceField(label=pgettext_lazy("accounts", "Year"), coerce=int, widget=forms.Select(SELECT))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        last = timezone.localdate().year - 1
        self.fields["year"].choices = [(str(n), str(n)) for n in range(last, last - 5, -1)]  # type: ignore[attr-defined]
