"""Forms of an exchange: applying for it, taking its fee, handing over the new card (R1, R3, R5, R7, R8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sheka.faces.console.cards.forms import IdentityForm
from sheka.faces.console.forms import Sheet
from sheka.faces.console.words import CAUSES, DOCUMENTS
from sheka.systems.cards.actions.apply_exchange import Damage
from sheka.systems.cards.documents import Document, DocumentKind, Proxy
from sheka.systems.cards.fees import Cause, Ground

NUMBER = {"class": "govuk-input govuk-input--width-20 number", "spellcheck": "false", "autocapitalize": "characters"}
Needed = Mapping[DocumentKind, tuple[str, ...]]
FORMS = {"original": _("original seen"), "copy": _("copy kept")}


class PayForm(Sheet):
    """The fee that the page showed, and the number of the receipt."""

    fee = forms.IntegerField(widget=forms.HiddenInput)
    receipt = forms.CharField(
        label=_("Number of the receipt"),
        min_length=2,
        max_length=40,
        error_messages={"required": _("Enter the number of the receipt"), "min_length": _("Enter the whole number")},
        widget=forms.TextInput(NUMBER),
    )


class CounterForm(IdentityForm):
    """Who stands at the counter, for whom, and with which documents. `needed`: the list of the policy."""

    def __init__(self, *args: Any, needed: Needed, by_proxy: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.needed, self.by_proxy = needed, by_proxy
        if by_proxy:
            self._ask("proxy_name", _("Name of the proxy"), 150, _("Enter the proxy's name"))
            self._ask(
                "proxy_number", _("Number on the proxy's identity card"), 18, _("Enter the proxy's number"), NUMBER
            )
            self._ask("proxy_relation", _("Relation to the holder"), 60, _("Say what the proxy is to the holder"))
        for kind, asked in needed.items():
            for form in asked:
                self.fields[f"{kind}_{form}"] = forms.BooleanField(
                    label=f"{DOCUMENTS[kind]} · {FORMS[form]}", required=False, widget=forms.CheckboxInput
                )

    def _ask(self, name: str, label: Any, most: int, missing: Any, attributes: Mapping[str, str] | None = None) -> None:
        widget = forms.TextInput({"class": "govuk-input", "autocomplete": "off", **(attributes or {})})
        errors = {"required": missing}
        self.fields[name] = forms.CharField(label=label, max_length=most, error_messages=errors, widget=widget)

    @property
    def ticks(self) -> list[forms.BoundField]:
        """The boxes of the documents."""
        return [field for field in self if isinstance(field.field, forms.BooleanField)]

    @property
    def asks(self) -> list[forms.BoundField]:
        """Everything else."""
        return [field for field in self if not isinstance(field.field, forms.BooleanField)]

    def documents(self) -> list[Document]:
        """What was shown. The form must be valid."""
        return [
            Document(
                kind,
                original=self.cleaned_data.get(f"{kind}_original", False),
                copy=self.cleaned_data.get(f"{kind}_copy", False),
            )
            for kind in self.needed
        ]

    def proxy(self) -> Proxy | None:
        """Who acts for the holder, if somebody does."""
        if not self.by_proxy:
            return None
        given = self.cleaned_data
        return Proxy(given["proxy_name"], given["proxy_number"], given["proxy_relation"])


class ApplyForm(CounterForm):
    """An application for an exchange on one of the two grounds."""

    def __init__(self, *args: Any, ground: Ground, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ground = ground
        if ground is Ground.DATA_CHANGED:
            missing = _("Enter the number of the form: without it there is no exchange")
            self._ask("change_form", _("Number of the data change confirmation form"), 40, missing, NUMBER)
            return
        self._ask("surface", _("What is wrong with the surface"), 200, _("Write what you see on the card"))
        self.fields["cause"] = forms.ChoiceField(
            label=_("Where the damage comes from"),
            choices=[("", "—"), *((cause.value, CAUSES[cause.value]) for cause in Cause)],
            error_messages={"required": _("Choose where the damage comes from"), "invalid_choice": _("Choose one")},
            widget=forms.Select({"class": "govuk-select"}),
        )

    def damage(self) -> Damage | None:
        """What the clerk found on the card (R7); None when the data changed."""
        if self.ground is Ground.DATA_CHANGED:
            return None
        return Damage(surface=self.cleaned_data["surface"], cause=Cause(self.cleaned_data["cause"]))


class CollectForm(CounterForm):
    """The old card comes in, or the holder declares why not (R3)."""

    old_card = forms.CharField(
        label=_("Number of the old card that is handed in"),
        required=False,
        max_length=20,
        widget=forms.TextInput(NUMBER),
    )
    not_returned = forms.CharField(label=_("Or: why it is not handed in"), required=False, max_length=200)

    def clean(self) -> dict[str, Any]:
        """One of the two, never both."""
        given = super().clean() or {}
        if bool(given.get("old_card")) == bool(given.get("not_returned")):
            self.add_error("old_card", gettext("Enter the old card's number, or below why it is not handed in"))
        return given
