"""Forms of documents: what is kept as what, why it is looked at, why a paper is void."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from sheka.faces.console.forms import Sheet
from sheka.faces.console.words import language
from sheka.office.documents.kinds import MEDIA_TYPES, Kind


class Files(forms.ClearableFileInput):
    """A control for several files."""

    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Several files; each is looked at by the action, so that one refusal does not stop the others."""

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        """The files that were sent; at least one."""
        files = data or []
        if not files:
            raise forms.ValidationError(self.error_messages["required"], code="required")
        return list(files)


class KeepForm(Sheet):
    """Which kind, and the files."""

    kind = forms.ChoiceField(
        label=_("Kind of document"),
        error_messages={"required": _("Choose the kind"), "invalid_choice": _("Choose the kind")},
    )
    files = FilesField(
        label=_("Files"),
        error_messages={"required": _("Choose a file, or take a picture")},
        widget=Files({"class": "govuk-file-upload"}),
    )

    def __init__(self, *args: Any, kinds: list[Kind], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tongue = language()
        field: Any = self.fields["kind"]
        field.choices = [(kind.name, kind.title.text(tongue)) for kind in kinds]
        field.widget.attrs["class"] = "govuk-select"
        accepted = {MEDIA_TYPES[form] for kind in kinds for form in kind.types}
        self.fields["files"].widget.attrs["accept"] = ",".join(sorted(accepted))


class PurposeForm(Sheet):
    text = forms.CharField(
        label=_("Why do you look at it?"),
        max_length=200,
        min_length=2,
        error_messages={"required": _("Write a line first"), "min_length": _("Write a whole sentence")},
    )


class VoidForm(Sheet):
    text = forms.CharField(
        label=_("Why is the paper void?"),
        max_length=200,
        min_length=2,
        error_messages={"required": _("Write a line first"), "min_length": _("Write a whole sentence")},
    )


class CodeOfPaperForm(Sheet):
    code = forms.CharField(
        label=_("Verification code on the paper"),
        max_length=40,
        error_messages={"required": _("Enter the code"), "max_length": _("A code has twenty characters")},
        widget=forms.TextInput(
            {"class": "govuk-input govuk-input--width-30 number", "spellcheck": "false", "autocapitalize": "characters"}
        ),
    )
