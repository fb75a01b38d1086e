"""The form of a year's holiday notice: as the document has it, line by line."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from sheka.faces.console.forms import Sheet
from sheka.foundation.refusals import Code, Refused


class NoticeForm(Sheet):
    year = forms.IntegerField(
        label=_("Year"),
        min_value=2000,
        max_value=2200,
        error_messages={"required": _("Enter the year")},
        widget=forms.TextInput({"inputmode": "numeric", "class": "govuk-input govuk-input--width-5"}),
    )
    title = forms.CharField(
        label=_("Title of the notice"), max_length=200, error_messages={"required": _("Enter the title")}
    )
    document = forms.CharField(
        label=_("Number of the document"),
        max_length=100,
        error_messages={"required": _("Enter the number of the document")},
        widget=forms.TextInput({"class": "govuk-input govuk-input--width-20"}),
    )
    issued = forms.DateField(
        label=_("Date of the notice"),
        error_messages={"required": _("Enter the day on which it was issued")},
        widget=forms.DateInput({"type": "date", "class": "govuk-input govuk-input--width-10"}),
    )
    statutory_days = forms.IntegerField(
        label=_("Statutory days of the year"),
        min_value=1,
        max_value=31,
        initial=13,
        error_messages={"required": _("Enter the number of days")},
        widget=forms.TextInput({"inputmode": "numeric", "class": "govuk-input govuk-input--width-3"}),
    )
    holidays = forms.CharField(
        label=_("Holidays, one a line: Chinese name, English name, first day, last day"),
        required=False,
        max_length=4000,
        widget=forms.Textarea({"rows": 8, "class": "govuk-textarea number", "spellcheck": "false"}),
    )
    working_weekends = forms.CharField(
        label=_("Weekend days worked instead, one date a line"),
        required=False,
        max_length=1000,
        widget=forms.Textarea({"rows": 5, "class": "govuk-textarea number", "spellcheck": "false"}),
    )
    amends = forms.ChoiceField(
        label=_("Kind of notice"),
        choices=[("", _("The notice of the year")), ("amends", _("A change of a notice that is in force"))],
        required=False,
        widget=forms.Select({"class": "govuk-select"}),
    )

    def content(self) -> dict[str, Any]:
        """The notice as plain JSON. The form must be valid. Raises Refused(CALENDAR_LINE)."""
        given = self.cleaned_data
        return {
            "year": given["year"],
            "title": given["title"].strip(),
            "document": given["document"].strip(),
            "issued": given["issued"].isoformat(),
            "statutory_days": given["statutory_days"],
            "holidays": [_holiday(number, text) for number, text in _lines(given["holidays"])],
            "working_weekends": [_day(number, text, text) for number, text in _lines(given["working_weekends"])],
            "amends": given["amends"] == "amends",
        }


def _lines(text: str) -> list[tuple[int, str]]:
    return [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]


def _holiday(number: int, line: str) -> dict[str, Any]:
    parts = [part.strip() for part in line.replace("，", ",").split(",")]
    if len(parts) != 4 or not parts[0] or not parts[1]:
        raise Refused(Code.CALENDAR_LINE, line=number, text=line)
    return {
        "name": {"zh": parts[0], "en": parts[1]},
        "days": [_day(number, line, parts[2]), _day(number, line, parts[3])],
    }


def _day(number: int, line: str, text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise Refused(Code.CALENDAR_LINE, line=number, text=line) from None
