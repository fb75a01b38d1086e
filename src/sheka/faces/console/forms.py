"""Forms of the console's own pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class Sheet(forms.Form):
    """Ids without a prefix, the look's classes, a sentence of our own for what is missing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, auto_id="%s", **kwargs)
        for field in self.fields.values():
            field.widget.attrs.setdefault("class", "govuk-input")
            field.widget.attrs.setdefault("autocomplete", "off")


class ReasonForm(Sheet):
    """One line that says why; each verb asks in its own words."""

    text = forms.CharField(
        max_length=200,
        min_length=2,
        error_messages={"required": _("Write a line first"), "min_length": _("Write a whole sentence")},
    )


class PlainForm(Sheet):
    """Nothing to fill in: the button itself is the answer."""
