"""What a planner writes: the roster with what the script asks for, or the request for a ceremony (K6)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sheka.faces.console.forms import Sheet
from sheka.foundation.refusals import Refused
from sheka.office.approvals.models import Proposal
from sheka.office.staff.actors import Actor
from sheka.office.staff.models import StaffMember
from sheka.systems.ceremonies.roster import candidates, must_be_apart
from sheka.systems.ceremonies.scripts import CUSTODIAN, LEADER, WITNESS, Script

OFFERED = 5
"""Places for custodians on the form."""
SCHEMES = (
    ("xor", pgettext_lazy("scheme", "Every component is needed (XOR)")),
    ("shamir", pgettext_lazy("scheme", "A threshold of them is enough (Shamir)")),
)
_CHOOSE = {"required": _("Choose a person"), "invalid_choice": _("Choose a person")}


class AskForm(Sheet):
    """Which ceremony, and why."""

    kind = forms.ChoiceField(label=pgettext_lazy("ceremony", "Ceremony"))
    why = forms.CharField(
        label=pgettext_lazy("ceremony", "Why"), max_length=300, error_messages={"required": _("Write a line first")}
    )

    def __init__(self, *args: Any, kinds: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = kinds


class RosterForm(Sheet):
    """Leader, custodians, witness: only people who may take the part; and what the script asks for."""

    def __init__(self, *args: Any, actor: Actor, script: Script, proposal: Proposal | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.barred: list[str] = []
        self.script = script
        self._person(LEADER, pgettext_lazy("ceremony", "Leader"), self._fit(actor, LEADER, proposal))
        holders, (fewest, most) = self._fit(actor, CUSTODIAN, proposal), script.custodians
        self.custodians = [f"custodian_{place}" for place in range(1, min(most, OFFERED) + 1)]
        for place, name in enumerate(self.custodians, 1):
            self._person(name, _("Custodian %(n)s") % {"n": place}, holders, required=place <= fewest)
        self._person(WITNESS, pgettext_lazy("ceremony", "Witness"), self._fit(actor, WITNESS, proposal))
        if "components" in script.asks:
            self.fields["scheme"] = forms.ChoiceField(label=_("How the key is put together"), choices=SCHEMES)
        if {"components", "threshold"} & set(script.asks):
            self.fields["threshold"] = forms.IntegerField(
                label=_("How many custodians are needed"),
                min_value=2,
                max_value=len(self.custodians),
                required="threshold" in script.asks,
                error_messages=dict.fromkeys(
                    ("required", "invalid", "min_value", "max_value"), _("Enter a number from 2")
                ),
                widget=forms.NumberInput({"class": "govuk-input govuk-input--width-4"}),
            )
        if "carrier" in script.asks and proposal is not None:
            self._text("carrier", _("Serial of the transmission key card"))
        if "backup" in script.asks:
            self._text("backup", _("Number of the ceremony that made the back-up"))

    def plan(self) -> dict[str, Any]:
        """The arguments of the plan. The form must be valid."""
        given = self.cleaned_data
        chosen = [given[name] for name in self.custodians if given[name]]
        asked = {name: given[name] for name in ("scheme", "threshold", "carrier", "backup") if given.get(name)}
        return {
            "leader": int(given[LEADER]),
            "custodians": [int(staff) for staff in chosen],
            "witness": int(given[WITNESS]),
            "asked": asked,
        }

    def _fit(self, actor: Actor, part: str, proposal: Proposal | None) -> list[StaffMember]:
        """Who may take the part; who may not because of a hand in the request is named apart."""
        found = []
        for staff in candidates(actor.organisation, part):
            try:
                if proposal is not None:
                    must_be_apart(staff, proposal)
            except Refused:
                self.barred.append(staff.name)
            else:
                found.append(staff)
        return found

    def _person(self, name: str, label: Any, people: list[StaffMember], *, required: bool = True) -> None:
        choices = [("", "—"), *((str(staff.pk), staff.name) for staff in people)]
        self.fields[name] = forms.ChoiceField(label=label, choices=choices, required=required, error_messages=_CHOOSE)

    def _text(self, name: str, label: Any) -> None:
        missing = {"required": _("This cannot be empty")}
        self.fields[name] = forms.CharField(label=label, max_length=40, error_messages=missing)
