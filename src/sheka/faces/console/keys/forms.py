"""Forms with which a key officer asks for a step in the life of keys."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from sheka.faces.console.forms import ReasonForm, Sheet
from sheka.faces.console.templatetags.look import algorithm
from sheka.faces.console.words import language
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.systems.keys.queries import recipients_of

SELECT = forms.Select({"class": "govuk-select"})


class SetForm(Sheet):
    """Which set of keys: an algorithm and a version."""

    algorithm = forms.TypedChoiceField(
        label=_("Algorithm"),
        coerce=lambda value: Algorithm(int(value)),
        choices=[(one.value, algorithm(one.value)) for one in (Algorithm.SM4, Algorithm.TDES)],
        widget=SELECT,
    )
    version = forms.TypedChoiceField(
        label=_("Version"), coerce=int, choices=[(one, str(one)) for one in (1, 2, 3)], widget=SELECT
    )

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor = actor

    def given(self) -> dict[str, Any]:
        """What the action takes. The form must be valid."""
        return dict(self.cleaned_data)


class ExportForm(SetForm):
    """The same, and for whom."""

    to = forms.ChoiceField(label=_("For which organisation"), widget=SELECT)
    field_order = ("to", "algorithm", "version")

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, actor=actor, **kwargs)
        self.fields["to"].choices = [(code, organisation(code).label(language())) for code in recipients_of(actor)]


class RetireForm(SetForm):
    """The same, and why before its time."""

    reason = forms.CharField(
        label=_("Why before the last card has expired? Leave empty otherwise."), max_length=200, required=False
    )


class DestroyForm(SetForm):
    """The same, and why."""

    reason = ReasonForm.base_fields["text"]

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, actor=actor, **kwargs)
        self.fields["reason"].label = _("Why?")
