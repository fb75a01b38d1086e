"""Forms of the console's own pages."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class SignInForm(forms.Form):
    login = forms.CharField(label=_("Log-in name"), max_length=40)
    password = forms.CharField(label=_("Password"), max_length=200, strip=False)


class CodeForm(forms.Form):
    code = forms.RegexField(r"^\d{6}$", label=_("One-time code"), max_length=6)


class ReasonForm(forms.Form):
    text = forms.CharField(max_length=200, min_length=2)
