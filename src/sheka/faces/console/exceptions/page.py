"""What the page of one case shows: both sides and where they differ, messages, what can be done and why not (S10)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

from sheka.faces.console.exceptions.forms import AdjustForm, AssignForm, CloseForm, DecideForm, TextForm
from sheka.faces.console.exceptions.words import as_day, said
from sheka.faces.console.telling import is_about_permission, list_mark, told, why
from sheka.faces.console.templatetags.look import clock, day, yuan
from sheka.foundation.numbers import mask_card_number
from sheka.foundation.refusals import Code
from sheka.foundation.terms import Term
from sheka.office.approvals.models import Proposal
from sheka.office.approvals.queries import readable_by
from sheka.office.approvals.seats import colleagues_with
from sheka.office.staff.actors import Actor
from sheka.systems.exceptions.guards import VERBS, why_not
from sheka.systems.exceptions.labels import ACCOUNT_ROLES, EVENTS
from sheka.systems.exceptions.models import CaseEvent, ExceptionCase
from sheka.systems.exceptions.policy import rule_named
from sheka.systems.exceptions.standing import accounts_of_case, row_facts, standing_of
from sheka.systems.transactions.labels import KINDS
from sheka.systems.transactions.readings import type_of

ASKS = {
    "ask": gettext_lazy("What the institution is asked"),
    "answer": gettext_lazy("What the other side answered"),
    "note": gettext_lazy("What was found or done"),
    "close": gettext_lazy("What was found, and why this ends the case"),
    "extend": gettext_lazy("Why more time is needed"),
    "withdraw": gettext_lazy("Why it is withdrawn"),
    "reopen": gettext_lazy("Why it is opened again"),
    "adjust": gettext_lazy("Why this is to be booked"),
    "decide": gettext_lazy("The grounds of the decision"),
}
FIRST = ("take", "decide", "adjust", "answer")
"""The next step of the way: the one filled button."""
FACTS = {
    "told": gettext_lazy("As the switch calls it"),
    "kind": pgettext_lazy("transaction", "Kind"),
    "hop": gettext_lazy("Where the time went by"),
    "type": gettext_lazy("Message"),
    "came_at": gettext_lazy("Came at"),
    "booked_at": gettext_lazy("Booked at"),
    "released_at": gettext_lazy("Released at"),
    "times": gettext_lazy("How many times"),
    "locked": gettext_lazy("Terminal locked"),
    "field": gettext_lazy("Field that differs"),
    "field_7": gettext_lazy("Time that the terminal says (field 7)"),
    "peer": gettext_lazy("Line it came over"),
    "process": gettext_lazy("Process of the switch"),
    "first_stan": gettext_lazy("STAN that used the signature first"),
    "sequence": gettext_lazy("Sequence number of the PSAM"),
    "original": gettext_lazy("Original transaction"),
    "pending": gettext_lazy("Number of the hold"),
    "reference": gettext_lazy("Reference number"),
    "batch": gettext_lazy("Settlement of the terminal"),
    "out_of_balance": gettext_lazy("Figures that differ"),
    "reversal": gettext_lazy("A reversal"),
}
"""What the facts of a case are called, in the order in which they stand."""
HOPS = {
    "line": gettext_lazy("between switch and terminal: it asked again"),
    "switch": gettext_lazy("in the switch: it ended before it answered"),
    "machine": gettext_lazy("between switch and encryption machine: nothing could be signed"),
    "database": gettext_lazy("between switch and database: it did not say in time"),
}
CODES = frozenset(
    {
        "told",
        "first_stan",
        "sequence",
        "peer",
        "process",
        "original",
        "pending",
        "reference",
        "batch",
        "field",
        "field_7",
    }
)
MOMENTS = frozenset({"came_at", "booked_at", "released_at"})
COMPARED = frozenset({"amount", "card", "transaction", "refusal", "booked", "settlement_date", "message", "window",
                      "original_window", "rrn"})  # fmt: skip
"""These stand in the comparison of both sides, or say nothing to a person."""
_SUGGESTED = {"adjust": "adjust", "ask": "ask"}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the comparison."""

    label: str
    ours: str
    theirs: str
    differs: bool
    code: bool


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that was found: its word, its value; `code`: written as it stands."""

    label: str
    value: str
    code: bool


@dataclass(frozen=True, slots=True)
class Verb:
    """Something that can be done now, with its form."""

    name: str
    word: str
    ask: str
    form: Any


@dataclass(frozen=True, slots=True)
class Barred:
    """Verbs that cannot be done now for one and the same reason."""

    words: str
    why: str


@dataclass(frozen=True, slots=True)
class Moment:
    """A point of the life line."""

    kind: str
    at: datetime | None
    title: str
    detail: str
    who: str
    due: Any = None


def sides_of(case: ExceptionCase) -> tuple[list[Row], bool, bool]:
    """Both sides field by field, and whether each has anything. Ours is as the books have it now."""
    standing = standing_of(case)
    row = standing.reversal if case.subject.endswith(":2") and standing.reversal is not None else standing.request
    ours: dict[str, Any] = {**(case.ours or {}), **(row_facts(row) or {})}
    theirs: dict[str, Any] = case.theirs or {}
    shown = (
        ("amount", _("Amount"), _money, False),
        ("card", _("Card"), lambda value: mask_card_number(str(value)), True),
        ("rrn", _("Reference number"), str, True),
        ("settlement_date", _("Clearing day"), lambda value: day(as_day(value)), False),
        ("transaction", pgettext("exception", "Transaction"), str, True),
        ("refusal", _("Refusal"), lambda value: str(value) if value else _("none, approved"), False),
        ("line", _("Line of the file"), str, False),
        ("times", _("How many times"), str, False),
        ("booked", _("Booked amount that it names"), _money, False),
        ("debits_count", _("Payments, number"), str, False),
        ("debits", _("Payments, sum"), _money, False),
        ("debits_back_count", _("Payments reversed, number"), str, False),
        ("debits_back", _("Payments reversed, sum"), _money, False),
        ("credits_count", _("Refunds, number"), str, False),
        ("credits", _("Refunds, sum"), _money, False),
        ("credits_back_count", _("Refunds reversed, number"), str, False),
        ("credits_back", _("Refunds reversed, sum"), _money, False),
    )
    found = []
    for name, label, show, code in shown:
        mine, other = ours.get(name), theirs.get(name)
        if mine is None and other is None:
            continue
        differs = mine is not None and other is not None and str(mine) != str(other)
        found.append(Row(label, _shown(mine, show), _shown(other, show), differs, code))
    return found, bool(ours), bool(theirs)


def facts_of(case: ExceptionCase) -> list[Fact]:
    """What was found beside both sides' figures, in the order of FACTS; what has no word stands under its own name."""
    shown = {**dict.fromkeys(FACTS), **case.facts}
    found = []
    for name, value in shown.items():
        if value in (None, "", [], {}) or name in COMPARED:
            continue
        word = FACTS.get(name)
        found.append(Fact(str(word) if word else name, _fact(name, value), name in CODES or word is None))
    return found


def verbs_of(
    actor: Actor, case: ExceptionCase, returned: dict[str, Any]
) -> tuple[list[Verb], list[Barred], Verb | None]:
    """What this actor can do now, the next step first; what not, by its reason; and the filled button.

    `returned`: forms that came back with errors, by the verb.
    """
    able, barred = [], dict[str, list[str]]()
    for name, rule in VERBS.items():
        refusal, word = why_not(actor, case, name), said(rule.title)
        if refusal is None:
            able.append(Verb(name, word, str(ASKS.get(name, "")), returned.get(name) or form_for(case, name)))
        elif not is_about_permission(told(refusal).text) and refusal.code is not Code.EXCEPTION_NO_DISPUTE:
            barred.setdefault(why(told(refusal).text), []).append(word)
    wanted = (_SUGGESTED.get(str(case.suggestion.get("verb")), ""), *FIRST)
    first = next((verb for name in wanted for verb in able if verb.name == name), None)
    able.sort(key=lambda verb: (verb is not first, [*VERBS].index(verb.name)))
    return able, [Barred(list_mark().join(words), reason) for reason, words in barred.items()], first


def form_for(case: ExceptionCase, verb: str, data: Any = None) -> Any:
    """The form of a verb; None where the button alone is the answer."""
    if verb == "close":
        return CloseForm(data, prefix=verb)
    if verb == "adjust":
        initial = {
            "debit": case.suggestion.get("debit"),
            "credit": case.suggestion.get("credit"),
            "amount": f"{Decimal(case.amount) / 100:.2f}" if case.amount else None,
        }
        return AdjustForm(data, prefix=verb, roles=tuple(accounts_of_case(case)), initial=initial)
    if verb == "decide":
        return DecideForm(data, prefix=verb, initial={"amount": f"{Decimal(case.amount) / 100:.2f}"})
    if verb == "assign":
        officers = [(one.pk, one.name) for one in colleagues_with(case.organisation_id, "exception.handle")]
        return AssignForm(data, prefix=verb, officers=officers)
    return TextForm(data, prefix=verb) if verb in ASKS else None


def suggestion_of(case: ExceptionCase) -> dict[str, str] | None:
    """What a rule proposes: its words, its name and version, the way in words."""
    if not case.suggestion or not case.runs:
        return None
    rule = rule_named(str(case.suggestion["rule"]))
    verb = VERBS.get(str(case.suggestion.get("verb")))
    roles = [
        said(ACCOUNT_ROLES.get(str(case.suggestion[side]), Term(str(case.suggestion[side]), "")))
        for side in ("debit", "credit")
        if side in case.suggestion
    ]
    return {
        "text": said(rule.title) if rule else str(case.suggestion["rule"]),
        "rule": f"{case.suggestion['rule']} v{case.suggestion['version']}",
        "way": " · ".join(filter(None, (said(verb.title) if verb else "", " → ".join(roles)))),
    }


def request_of(actor: Actor, case: ExceptionCase) -> Proposal | None:
    """The request for approval that the case waits for or was ended by, for who may read it."""
    if case.proposal is None:
        return None
    return readable_by(actor).filter(number=case.proposal).first()


def request_page(proposal: Proposal | None) -> str:
    return reverse("console:approvals_one", args=[proposal.pk]) if proposal is not None else ""


def moments_of(case: ExceptionCase, events: list[CaseEvent]) -> list[Moment]:
    """The life line, then what comes."""
    shown = [
        Moment(
            "bad" if event.verb in ("late", "send_back") else "done",
            event.at,
            _title(event),
            _detail(event),
            _who(event),
        )
        for event in events
    ]
    if case.state == "asked" and case.answer_due_on:
        shown.append(Moment("now", None, _("The other side answers"), "", "", case.answer_due_on))
    if case.state == "proposed":
        shown.append(Moment("now", None, _("Another person decides"), "", ""))
    if case.runs:
        shown.append(Moment("next", None, _("Deadline"), "", "", case.due_on))
    return shown


def _fact(name: str, value: Any) -> str:
    if name == "hop":
        return str(HOPS.get(str(value), value))
    if name == "kind" and isinstance(value, int):
        return said(KINDS[value]) if value in KINDS else str(value)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if name in MOMENTS:
        moment = parse_datetime(str(value))
        return f"{day(moment)} {clock(moment)}" if moment else str(value)
    if name == "type":
        return f"{value} {said(type_of(str(value)))}"
    if name == "out_of_balance":
        return str(len(value))
    return str(value)


def _title(event: CaseEvent) -> str:
    silent = event.verb == "answer" and event.facts.get("silent")
    return said(EVENTS["silent" if silent else event.verb])


def _detail(event: CaseEvent) -> str:
    """What was written; of a rule its words in the reader's language."""
    rule = rule_named(str(event.facts.get("rule", "")))
    return said(rule.title) if rule else event.text


def _who(event: CaseEvent) -> str:
    return _("by the system") if event.name.startswith("process:") else event.name


def _shown(value: Any, show: Any) -> str:
    return "—" if value is None else str(show(value))


def _money(value: Any) -> str:
    return yuan(value) if isinstance(value, int) else str(value)
