"""The forms of the exceptions desk: the verbs of a case, a dispute, a switch of a rule."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sheka.faces.console.exceptions.words import said
from sheka.faces.console.forms import Sheet
from sheka.systems.exceptions.labels import ACCOUNT_ROLES, CLOSINGS, COMPLAINTS, OUTCOMES
from sheka.systems.exceptions.life import LONGEST, SHORTEST

AREA = {"class": "govuk-textarea", "rows": 3}
_TEXT = {"required": _("Write a line first"), "min_length": _("Write a whole sentence")}
_AMOUNT = {"required": _("Enter an amount"), "invalid": _("Enter an amount in yuan, such as 12.50")}
_SELECT = {"class": "govuk-select"}


def _terms(titles: dict[str, Any]) -> list[tuple[str, str]]:
    return [(str(name), said(title)) for name, title in titles.items()]


def _yuan(**more: Any) -> forms.DecimalField:
    """An amount as people write it, in yuan."""
    return forms.DecimalField(
        label=_("Amount in yuan"),
        max_digits=12,
        decimal_places=2,
        error_messages=_AMOUNT | {"max_decimal_places": _("At most two decimal places")},
        widget=forms.TextInput({"class": "govuk-input govuk-input--width-10", "inputmode": "decimal"}),
        **more,
    )


def in_fen(amount: Decimal | None) -> int:
    """Yuan as a form has it, in fen."""
    return 0 if amount is None else int(amount * 100)


class TextForm(Sheet):
    """One text that a verb asks for."""

    text = forms.CharField(min_length=SHORTEST, max_length=LONGEST, error_messages=_TEXT, widget=forms.Textarea(AREA))


class CloseForm(TextForm):
    """Why nothing is to be booked."""

    closing = forms.ChoiceField(
        label=_("Why it ends"), widget=forms.Select(_SELECT), error_messages={"required": _("Choose why it ends")}
    )
    field_order = ("closing", "text")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["closing"].choices = [
            ("", _("Choose one")),
            *((name, word) for name, word in _terms(CLOSINGS) if name not in ("not_upheld", "released")),
        ]


class AdjustForm(TextForm):
    """From which account to which, and how much."""

    debit = forms.ChoiceField(label=pgettext_lazy("adjustment", "From"), widget=forms.Select(_SELECT))
    credit = forms.ChoiceField(label=pgettext_lazy("adjustment", "To"), widget=forms.Select(_SELECT))
    amount = _yuan(min_value=Decimal("0.01"))
    field_order = ("debit", "credit", "amount", "text")

    def __init__(self, *args: Any, roles: tuple[str, ...] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [(role, word) for role, word in _terms(ACCOUNT_ROLES) if role in roles or role == "suspense"]
        for name in ("debit", "credit"):
            self.fields[name].choices = offered


class DecideForm(TextForm):
    """The provisional decision of a dispute."""

    outcome = forms.ChoiceField(label=_("Decision"), widget=forms.Select(_SELECT))
    amount = _yuan(required=False)
    field_order = ("outcome", "amount", "text")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["outcome"].choices = _terms(OUTCOMES)
        self.fields["amount"].label = _("Granted, in yuan")


class AssignForm(Sheet):
    """To which officer."""

    staff = forms.TypedChoiceField(label=_("Officer"), coerce=int, widget=forms.Select(_SELECT))

    def __init__(self, *args: Any, officers: list[tuple[int, str]] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["staff"].choices = officers or []


class LookForm(Sheet):
    """Whose transactions: the number of the card."""

    card = forms.CharField(
        label=_("Card number"),
        max_length=9,
        min_length=9,
        error_messages={
            "required": _("Enter the nine characters of the card number"),
            "min_length": _("Enter the nine characters of the card number"),
        },
        widget=forms.TextInput({"class": "govuk-input govuk-input--width-10", "spellcheck": "false"}),
    )


class DisputeForm(TextForm):
    """What is wrong with a transaction."""

    transaction = forms.IntegerField(widget=forms.HiddenInput())
    client_id = forms.UUIDField(widget=forms.HiddenInput())
    complaint = forms.ChoiceField(
        label=_("What is wrong"), widget=forms.Select(_SELECT), error_messages={"required": _("Choose what is wrong")}
    )
    amount = _yuan(min_value=Decimal("0.01"))
    field_order = ("complaint", "amount", "text")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["complaint"].choices = [
            ("", _("Choose one")),
            *((name, word) for name, word in _terms(COMPLAINTS) if name != "not_credited"),
        ]
        self.fields["amount"].label = _("Claimed, in yuan")
        self.fields["text"].label = _("What the citizen says")
