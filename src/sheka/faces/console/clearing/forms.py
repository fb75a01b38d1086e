"""Forms of clearing days."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from sheka.faces.console.forms import Sheet


class AcquirerFileForm(Sheet):
    """An acquirer's file of a day."""

    file = forms.FileField(
        label=_("The acquirer's file"),
        max_length=120,
        error_messages={"required": _("Choose a file"), "empty": _("The file is empty")},
        widget=forms.FileInput({"class": "govuk-file-upload"}),
    )
