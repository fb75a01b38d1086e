"""The facts on which an automatic rule was applied, in words, each with its code beside it (S10)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

from django import template
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from sheka.faces.console.acquiring.words import STATES
from sheka.faces.console.templatetags.look import clock, count, day, yuan
from sheka.faces.console.words import language
from sheka.foundation.terms import Term
from sheka.systems.exceptions.models import RuleUse
from sheka.systems.exceptions.policy import rule_named
from sheka.systems.transactions.readings import type_of

register = template.Library()
WORDS = {
    "request": gettext_lazy("The request in our books"),
    "reversal": gettext_lazy("Its reversal in our books"),
    "again": gettext_lazy("Asked again"),
    "posting": gettext_lazy("Posting in the ledger"),
    "transaction": gettext_lazy("Transaction in our books"),
    "times": gettext_lazy("How many times"),
    "waited_seconds": gettext_lazy("Waited for"),
    "hours": gettext_lazy("Looked back, hours"),
    "ours": gettext_lazy("Our side"),
    "theirs": gettext_lazy("The other side"),
    "amount": gettext_lazy("Amount"),
    "pending": gettext_lazy("Number of the hold"),
    "terminal": gettext_lazy("Terminal"),
    "state": gettext_lazy("State"),
    "last_fault": gettext_lazy("Last wrong clock"),
    "batch": gettext_lazy("Settlement of the terminal"),
    "after_upload": gettext_lazy("After the upload of its lines"),
    "refusal": gettext_lazy("Refusal"),
    "day": gettext_lazy("Clearing day"),
    "reconciled_at": pgettext_lazy("clearing", "Reconciled at"),
}
"""In the order in which they are read."""
MONEY = frozenset({"ours", "theirs", "amount"})
MOMENTS = frozenset({"last_fault", "reconciled_at"})


class RuleFact(NamedTuple):
    """`name` is its code, which stands beside the word."""

    word: str
    name: str
    value: str


@register.simple_tag
def rule_title(use: RuleUse) -> str:
    """What the rule says in words, "" when the policy has it no more."""
    rule = rule_named(use.rule)
    return rule.title.text(language()) if rule is not None else ""


@register.simple_tag
def rule_facts(use: RuleUse) -> list[RuleFact]:
    """The facts in the order of WORDS; one without a word stands under its code."""
    named = [*(name for name in WORDS if name in use.facts), *(name for name in use.facts if name not in WORDS)]
    return [
        RuleFact(str(WORDS.get(name, "")), name, value)
        for name in named
        if (value := _value(name, use.facts[name], use.facts)) not in ("", "None")
    ]


def _value(name: str, value: Any, facts: Mapping[str, Any]) -> str:
    if value in (None, "", [], {}):
        return ""
    if isinstance(value, Mapping):
        return _row(value)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if name in MONEY and isinstance(value, int):
        return yuan(value)
    if name == "refusal":
        return _refusal(value)
    if name == "state":
        words = STATES.get(str(value), WORDS_OF_DAYS.get(str(value), Term(str(value), str(value))))
        return words.text(language())
    if name == "waited_seconds":
        minutes = int(value) // 60
        return ngettext("%(n)s minute", "%(n)s minutes", minutes) % {"n": count(minutes)}
    return _moment(str(value)) if name in MOMENTS else _day(str(value))


def _row(row: Mapping[str, Any]) -> str:
    """A stored request: its number, its amount, how it was answered; or a message: its type and when it came."""
    if "type" in row:
        return f"{row['type']} {type_of(str(row['type'])).text(language())}, {_moment(str(row.get('came_at', '')))}"
    amount = yuan(row["amount"]) if isinstance(row.get("amount"), int) else ""
    return " · ".join(filter(None, (str(row.get("transaction", "")), amount, _refusal(row.get("refusal")))))


def _refusal(value: Any) -> str:
    return _("none, approved") if not value else _("refused, no. %(number)s") % {"number": value}


def _moment(text: str) -> str:
    found = parse_datetime(text) if text else None
    return f"{day(found)} {clock(found)}" if found else text


def _day(text: str) -> str:
    try:
        return day(date.fromisoformat(text))
    except ValueError:
        return text


WORDS_OF_DAYS = {"reconciled": Term("已对账", "reconciled"), "netted": Term("已轧差", "netted")}
"""States of a clearing day, which a rule names."""
