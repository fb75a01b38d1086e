"""Forms of signing in and of the own account."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from sheka.faces.console.forms import Sheet

CODE_INPUT = {
    "autocomplete": "one-time-code",
    "inputmode": "numeric",
    "class": "govuk-input govuk-input--width-10 number",
}
PAPER_INPUT = {"class": "govuk-input number", "autocapitalize": "characters", "spellcheck": "false"}


def password_field(label: Any, autocomplete: str, missing: Any) -> forms.CharField:
    """A password as it is typed, spaces and all."""
    return forms.CharField(
        label=label,
        max_length=200,
        strip=False,
        error_messages={"required": missing},
        widget=forms.PasswordInput({"autocomplete": autocomplete}),
    )


class SignInForm(Sheet):
    login = forms.CharField(
        label=_("Log-in name"),
        max_length=40,
        error_messages={"required": _("Enter your log-in name")},
        widget=forms.TextInput({"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
    )
    password = password_field(_("Password"), "current-password", _("Enter your password"))


class CodeForm(Sheet):
    code = forms.RegexField(
        r"^\d{6}$",
        label=_("The six digits that your authenticator shows"),
        max_length=6,
        error_messages={
            "required": _("Enter the six digits"),
            "invalid": _("The code has six digits, nothing else"),
            "max_length": _("The code has six digits, nothing else"),
        },
        widget=forms.TextInput(CODE_INPUT),
    )


class RecoveryForm(Sheet):
    code = forms.CharField(
        label=_("One of the recovery codes of your sheet"),
        max_length=60,
        error_messages={"required": _("Enter a code of your sheet")},
        widget=forms.TextInput(PAPER_INPUT),
    )


class EnrolForm(Sheet):
    login = SignInForm.base_fields["login"]
    code = forms.CharField(
        label=_("Enrolment code, from your security administrator"),
        max_length=60,
        error_messages={"required": _("Enter the enrolment code")},
        widget=forms.TextInput(PAPER_INPUT),
    )


class NewPasswordForm(Sheet):
    """A new password twice; `known` is the present password, or the code of the second factor that was not lost."""

    new = password_field(_("New password"), "new-password", _("Enter a new password"))
    again = password_field(_("The new password again"), "new-password", _("Enter the new password again"))

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if "new" in found and "again" in found and found["new"] != found["again"]:
            self.add_error("again", _("The two passwords differ"))
        return found


class ChangePasswordForm(NewPasswordForm):
    current = password_field(_("Present password"), "current-password", _("Enter your present password"))
    field_order = ("current", "new", "again")


class ForgottenPasswordForm(NewPasswordForm):
    code = CodeForm.base_fields["code"]
    field_order = ("code", "new", "again")


class OldPasswordForm(Sheet):
    password = password_field(_("Password"), "current-password", _("Enter your password"))


class LabelForm(Sheet):
    """What the owner calls a device."""

    label = forms.CharField(
        label=_("What you call this device"),
        max_length=60,
        error_messages={"required": _("Give the device a name")},
        widget=forms.TextInput({"class": "govuk-input govuk-input--width-20"}),
    )
