"""Forms about encryption machines."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sheka.faces.console.forms import ReasonForm, Sheet
from sheka.systems.keys.actions.propose_certificate import LEVELS


def _day(label: object) -> forms.DateField:
    return forms.DateField(
        label=label,
        widget=forms.DateInput({"type": "date", "class": "govuk-input govuk-input--width-10"}, format="%Y-%m-%d"),
        error_messages={"required": _("Enter the day"), "invalid": _("Enter the day")},
    )


def _text(label: object, length: int) -> forms.CharField:
    return forms.CharField(label=label, max_length=length, error_messages={"required": _("Enter what the plate says")})


class CertificateForm(Sheet):
    """What stands on the plate and on the certificate."""

    model = _text(pgettext_lazy("machine", "Model"), 60)
    serial = _text(pgettext_lazy("machine", "Serial number"), 40)
    place = _text(pgettext_lazy("machine", "Where it stands"), 120)
    supplier = _text(pgettext_lazy("machine", "Supplier"), 120)
    certificate = _text(_("Number of the product type certificate"), 60)
    level = forms.TypedChoiceField(
        label=_("Security level (GM/T 0028)"),
        coerce=int,
        choices=[(level, str(level)) for level in LEVELS],
        widget=forms.Select({"class": "govuk-select"}),
    )
    valid_from = _day(pgettext_lazy("machine", "Valid from"))
    valid_until = _day(pgettext_lazy("machine", "Valid until"))
    document = forms.CharField(label=_("Number of the kept copy (optional)"), max_length=60, required=False)


class WithdrawForm(Sheet):
    """Why it goes out of service."""

    reason = ReasonForm.base_fields["text"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].label = _("Why?")


class TrustForm(Sheet):
    """The fingerprint as the other side reads it out."""

    fingerprint = forms.CharField(
        label=_("Fingerprint, as the other side reads it out"),
        max_length=64,
        error_messages={"required": _("Enter the fingerprint")},
    )

    def clean_fingerprint(self) -> str:
        return str(self.cleaned_data["fingerprint"]).replace(" ", "")
