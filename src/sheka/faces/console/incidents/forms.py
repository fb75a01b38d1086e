"""The forms of incidents: a report in one page, the verbs, a plan, a drill."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sheka.faces.console.forms import Sheet
from sheka.faces.console.incidents.words import said
from sheka.office.incidents.actions.report_incident import LONGEST, SHORTEST
from sheka.office.incidents.models import DRILL_RESULTS
from sheka.office.incidents.plans import SEVERITIES, PlanContent, follow_up_titles, kinds, things
from sheka.office.staff.permissions import role_titles

AREA = {"class": "govuk-textarea", "rows": 4}
_SHORT = {"class": "govuk-input govuk-input--width-5", "inputmode": "numeric"}
_ERRORS = {"required": _("Write a line first"), "min_length": _("Write a whole sentence")}
_DAY = {"required": _("Enter a day"), "invalid": _("Enter a day")}
_NUMBER = {"required": _("Enter a number"), "invalid": _("Enter a number")}


def _terms(titles: dict[Any, Any]) -> list[tuple[str, str]]:
    return [(str(name), said(title)) for name, title in titles.items()]


class LocalMoment(forms.DateTimeField):
    """A time as it is typed here, in Beijing's zone; the browser's own picker writes it with a T."""

    widget = forms.DateTimeInput(
        {"type": "datetime-local", "class": "govuk-input govuk-input--width-20"}, "%Y-%m-%dT%H:%M"
    )
    input_formats = ("%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M")


class ReportForm(Sheet):
    """Everything on one page. What is affected stands beside it, since it is found and ticked."""

    kind = forms.ChoiceField(
        label=_("What kind of incident"),
        error_messages={"required": _("Choose what kind it is"), "invalid_choice": _("Choose what kind it is")},
        widget=forms.Select({"class": "govuk-select"}),
    )
    about = forms.CharField(
        label=_("What happened"),
        min_length=SHORTEST,
        max_length=LONGEST,
        error_messages=_ERRORS,
        widget=forms.Textarea(AREA),
    )
    noticed_at = LocalMoment(
        label=_("When it was noticed (Beijing time)"),
        error_messages={"required": _("Enter day and time"), "invalid": _("Enter day and time")},
    )
    document = forms.FileField(
        label=_("What shows it, if there is anything (PDF, JPEG, PNG)"),
        required=False,
        allow_empty_file=True,
        widget=forms.ClearableFileInput({"class": "govuk-file-upload"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [("", ""), *((name, said(kind.title)) for name, kind in kinds().items())]
        self.fields["noticed_at"].initial = timezone.localtime().strftime("%Y-%m-%dT%H:%M")


class LookForm(Sheet):
    """The finder: which sort of thing, and its number or name."""

    sort = forms.ChoiceField(label=_("Kind of thing"), widget=forms.Select({"class": "govuk-select"}))
    text = forms.CharField(
        label=_("Number or name"),
        required=False,
        max_length=80,
        widget=forms.TextInput({"class": "govuk-input govuk-input--width-20", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, prefix="look", **kwargs)
        self.fields["sort"].choices = _terms(things())


class TextForm(Sheet):
    """One text that a verb asks for."""

    text = forms.CharField(
        min_length=SHORTEST, max_length=LONGEST, error_messages=_ERRORS, widget=forms.Textarea(AREA | {"rows": 3})
    )


class GradeForm(TextForm):
    """Another severity, with the reason."""

    severity = forms.TypedChoiceField(
        label=_("Severity"), coerce=int, widget=forms.Select({"class": "govuk-select"})
    )  # fmt: skip
    field_order = ("severity", "text")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["severity"].choices = _terms(SEVERITIES)


class ThingForm(Sheet):
    """One more thing that is affected."""

    sort = forms.ChoiceField(label=_("Kind of thing"), widget=forms.Select({"class": "govuk-select"}))
    name = forms.CharField(label=_("Number"), max_length=80, error_messages={"required": _("Enter its number")})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["sort"].choices = _terms(things())

    def subject(self) -> str:
        """As the office names it. The form must be valid."""
        return f"{self.cleaned_data['sort']}:{self.cleaned_data['name'].strip()}"


class PlanForm(Sheet):
    """A plan's next version, filled with the one that counts now."""

    valid_from = forms.DateField(
        label=_("In force from"), error_messages=_DAY, widget=forms.DateInput({"type": "date", "class": "govuk-input"})
    )
    severity = forms.TypedChoiceField(
        label=_("Severity unless the report says otherwise"), coerce=int, widget=forms.Select({"class": "govuk-select"})
    )
    freezes = forms.MultipleChoiceField(label=_("Frozen at once"), required=False)
    follow_ups = forms.MultipleChoiceField(label=_("Set going"), required=False)
    notify = forms.MultipleChoiceField(
        label=_("Roles here that get a notice at once"), error_messages={"required": _("Choose at least one role")}
    )
    acknowledge_minutes = forms.IntegerField(
        label=_("To be taken in hand within minutes"), error_messages=_NUMBER, widget=forms.TextInput(_SHORT)
    )
    contain_minutes = forms.IntegerField(
        label=_("To be contained within minutes"), error_messages=_NUMBER, widget=forms.TextInput(_SHORT)
    )
    cause_hours = forms.IntegerField(
        label=_("Cause to be found within hours"), error_messages=_NUMBER, widget=forms.TextInput(_SHORT)
    )
    close_days = forms.IntegerField(
        label=_("To be closed within days"), error_messages=_NUMBER, widget=forms.TextInput(_SHORT)
    )
    steps = forms.CharField(
        label=_("What is done, in Chinese"),
        min_length=SHORTEST,
        max_length=LONGEST,
        error_messages=_ERRORS,
        widget=forms.Textarea(AREA | {"rows": 6, "lang": "zh-Hans"}),
    )
    steps_en = forms.CharField(
        label=_("The same in English"),
        required=False,
        max_length=LONGEST,
        widget=forms.Textarea(AREA | {"lang": "en"}),
    )
    contacts = forms.CharField(
        label=_("Contacts, one a line: office, person, telephone"),
        required=False,
        max_length=LONGEST,
        widget=forms.Textarea(AREA),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["severity"].choices = _terms(SEVERITIES)
        self.fields["freezes"].choices = _terms(things())
        self.fields["follow_ups"].choices = _terms(follow_up_titles())
        self.fields["notify"].choices = _terms(role_titles())

    def content(self) -> PlanContent:
        """The plan. The form must be valid."""
        given = {name: value for name, value in self.cleaned_data.items() if name != "valid_from"}
        return PlanContent.of(given)


class DrillForm(Sheet):
    """An exercise that was held."""

    held_on = forms.DateField(
        label=_("Held on"), error_messages=_DAY, widget=forms.DateInput({"type": "date", "class": "govuk-input"})
    )
    led_by = forms.CharField(label=_("Led by"), min_length=2, max_length=80, error_messages=_ERRORS)
    people = forms.CharField(label=_("Who took part"), min_length=2, max_length=400, error_messages=_ERRORS)
    scenario = forms.CharField(
        label=_("What was exercised"),
        min_length=SHORTEST,
        max_length=LONGEST,
        error_messages=_ERRORS,
        widget=forms.Textarea(AREA),
    )
    result = forms.ChoiceField(label=_("Result"), widget=forms.Select({"class": "govuk-select"}))
    measures = forms.CharField(
        label=_("What is to be mended; needed unless it passed"),
        required=False,
        max_length=LONGEST,
        widget=forms.Textarea(AREA),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["result"].choices = _terms(DRILL_RESULTS)
