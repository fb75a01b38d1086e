"""Forms of the counter."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from sheka.faces.console.forms import Sheet
from sheka.systems.cards.documents import Identity


class IdentityForm(Sheet):
    """The identity card on the counter, as the clerk reads it. It is compared, never shown again."""

    name = forms.CharField(
        label=_("Name on the identity card"), max_length=150, error_messages={"required": _("Enter the name")}
    )
    number = forms.CharField(
        label=_("Number on the identity card"),
        max_length=18,
        error_messages={"required": _("Enter the number")},
        widget=forms.TextInput(
            {"class": "govuk-input govuk-input--width-20 number", "spellcheck": "false", "autocapitalize": "characters"}
        ),
    )

    def identity(self) -> Identity:
        """What the clerk read. The form must be valid."""
        return Identity(self.cleaned_data["name"].strip(), self.cleaned_data["number"].strip())
