"""What the page of one card shows, in the reader's language: stamps, facts, buttons, life line, documents, fee."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from sheka.faces.console.cards.verbs import VERBS_HERE
from sheka.faces.console.telling import is_about_permission, list_mark, why
from sheka.faces.console.templatetags.look import algorithm, day, masked, yuan
from sheka.faces.console.words import CARD_TONES, CAUSES, DOCUMENTS, EXCHANGE_TONES, in_chinese, language
from sheka.foundation.refusals import Refused
from sheka.foundation.regions import ancestors
from sheka.systems.accounts.models import Account
from sheka.systems.cards.documents import DocumentKind, documents_of_collection
from sheka.systems.cards.labels import EXCHANGE_STATES, FEE_RULES, GROUNDS, VERBS
from sheka.systems.cards.models import Card
from sheka.systems.cards.queries import CardPage, ExchangeSummary
from sheka.systems.cards.queries.life_line import Kind, LifeEvent
from sheka.systems.cards.states import OPEN_EXCHANGE

NAME_ON_FACE = 12


@dataclass(frozen=True, slots=True)
class Fact:
    """One of the facts of the identity bar, or a row of a working. `number`: an identifier, written in its own face;
    `note` follows the text.
    """

    term: str
    text: str
    number: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Stamp:
    word: str
    tone: str


@dataclass(frozen=True, slots=True)
class Button:
    verb: str
    word: str
    kind: str


@dataclass(frozen=True, slots=True)
class Moment:
    """A point of the life line; what is still to come may have a day."""

    kind: Kind
    at: datetime | None
    due: date | None
    title: str
    detail: str
    who: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a damaged card (R7): what the reader itself found, step by step, and the surface in words."""

    sentence: str
    reader: str
    atr: str
    steps: list[tuple[str, str, bool]]
    """What was tried, the status word, whether it was as it should be."""
    surface: str

    @property
    def word(self) -> str:
        """The finding in a few words."""
        return _("Reader's finding: the chip cannot be read") if self.steps else _("Surface defaced")


@dataclass(frozen=True, slots=True)
class Paper:
    """A document of an exchange: shown and kept, or still to be shown."""

    name: str
    step: str
    seen: bool
    kept: bool
    shown: bool


def in_exchange(page: CardPage) -> ExchangeSummary | None:
    """The exchange that takes this card back, while it runs."""
    case = page.exchange
    return case if case and case.state in OPEN_EXCHANGE and case.old_card == page.card_number else None


def stamps(page: CardPage, account: Account | None) -> list[Stamp]:
    """The card's state, its exchange, its account, its temporary proof."""
    found = [Stamp(page.state_label, CARD_TONES.get(page.state, "still"))]
    case = in_exchange(page)
    if case:
        word = _("Exchange: %(state)s") % {"state": EXCHANGE_STATES[case.state]}
        found.append(Stamp(word, EXCHANGE_TONES[case.state]))
    if account:
        in_order = account.state == "open"
        found.append(Stamp(_("Account in order"), "good") if in_order else Stamp(_("Account frozen"), "stop"))
    if case:
        found.append(Stamp(_("Temporary proof valid until %(until)s") % {"until": day(case.proof_to)}, "info"))
    return found


def facts(page: CardPage, card: Card, account: Account | None) -> list[Fact]:
    """Six facts: what the counter asks for first, those of the exchange while it runs."""
    found = [
        Fact(_("Social security number"), masked(page.person_number), number=True),
        Fact(_("Card number"), page.card_number, number=True),
    ]
    case = in_exchange(page)
    if case:
        by = _("A proxy") if case.by_proxy else _("The holder in person")
        return [
            *found,
            Fact(_("Exchanged because"), str(GROUNDS[case.ground])),
            Fact(_("Received on"), day(page.received_on)),
            Fact(_("Fee"), yuan(case.fee_fen) if case.fee_fen else _("Free"), note=_cause(case)),
            Fact(_("Applied for by"), by),
        ]
    found += [
        Fact(_("Specification"), f"{page.specification} · {algorithm(page.algorithm)}"),
        Fact(_("Received on"), day(page.received_on)),
        Fact(_("Valid until"), day(page.expires_on)),
    ]
    if account:
        return [*found, Fact(_("Personal account"), yuan(account.balance or 0))]
    return [*found, Fact(_("Outlet"), card.outlet.label(language()))]


def buttons(page: CardPage) -> list[Button]:
    """What this page can do with the card now; at most one of them filled."""
    permitted = {offer.verb for offer in page.offers if offer.permitted}
    offered = [verb for verb in VERBS_HERE if verb in permitted]
    first = next((verb for verb in offered if VERBS_HERE[verb].likely), None)
    kinds = {verb: "danger" if VERBS_HERE[verb].danger else "" for verb in offered} | {first: "primary"}
    found = [Button(verb, str(VERBS[verb]), kinds[verb]) for verb in offered]
    if "exchange" in permitted:
        found.insert(1 if first else 0, Button("exchange", str(VERBS["exchange"]), ""))
    return found


def at_the_reader(page: CardPage) -> str:
    """What the reader may do with the card too, but not here: it needs the card in a reader, or a list of cards."""
    return list_mark().join(
        str(VERBS[offer.verb])
        for offer in page.offers
        if offer.permitted and offer.verb not in VERBS_HERE and offer.verb != "exchange"
    )


def withheld(page: CardPage) -> list[Fact]:
    """What the reader's role could do but not now, and why; verbs with the same reason together."""
    refused = [offer for offer in page.offers if not offer.permitted and not is_about_permission(offer.why_not)]
    rows = sorted(((why(offer.why_not), str(VERBS[offer.verb])) for offer in refused), key=lambda row: row[0])
    return [
        Fact(list_mark().join(word for _reason, word in group), reason)
        for reason, group in groupby(rows, key=lambda row: row[0])
    ]


def finding(record: dict[str, Any] | None) -> Finding | None:
    """The finding that an exchange rests on, from its record; None when it is not about a damage."""
    if record is None:
        return None
    reader = record.get("reader") or {"sentence": {}, "reader": "", "atr": "", "steps": []}
    tongue = "zh" if in_chinese() else "en"
    return Finding(
        sentence=reader["sentence"].get(tongue, "").strip(),
        reader=reader["reader"],
        atr=reader["atr"],
        steps=[(step[tongue], step["status"], step["ok"]) for step in reader["steps"]],
        surface=record.get("surface", ""),
    )


def with_finding(moments: list[Moment], found: Finding | None, applied_at: datetime, by: str) -> list[Moment]:
    """The line of the old card with what was found wrong with it, before the application that rests on it."""
    if found is None:
        return moments
    place = next((n for n, one in enumerate(moments) if one.at and one.at >= applied_at), len(moments))
    detail = (found.sentence or found.surface).rstrip("。.")
    return [*moments[:place], Moment("bad", applied_at, None, found.word, detail, by), *moments[place:]]


def life_line(page: CardPage) -> list[Moment]:
    """The line with the day on which the new card is due; a card at rest stands where it came to last."""
    case = in_exchange(page)
    last = len(page.life_line) - 1
    rests = not any(event.at is None for event in page.life_line)
    return [
        Moment(
            kind="now" if rests and place == last and event.kind == "done" else event.kind,
            at=event.at,
            due=case.due_on if case and event.at is None and place == last else None,
            title=event.title,
            detail=event.detail,
            who=event.who,
        )
        for place, event in enumerate(page.life_line)
    ]


def moments_of(line: list[LifeEvent]) -> list[Moment]:
    """The line of an exchange as a page shows it."""
    return [Moment(event.kind, event.at, None, event.title, event.detail, event.who) for event in line]


def strip(case: ExchangeSummary) -> list[dict[str, Any]]:
    """The counted days (R2): each with its date, whether it is a working day, and whether it is the due day."""
    rows = [{**row, "day": date.fromisoformat(row["day"])} for row in case.due_strip]
    return [{**row, "due": row["day"] == case.due_on} for row in rows]


def fee_working(case: ExchangeSummary) -> list[Fact]:
    """What the rule of the fee (R5) rests on."""
    working, found = case.fee_working, []
    if working.get("cause"):
        found.append(Fact(_("Cause of the damage"), _cause(case)))
    for term, name in (
        (_("Received on"), "received_on"),
        (_("Free until"), "last_free_day"),
        (_("Applied for on"), "applied_on"),
    ):
        if working.get(name):
            found.append(Fact(term, day(date.fromisoformat(working[name]))))
    return found


def _cause(case: ExchangeSummary) -> str:
    """Where the damage comes from, as the outlet found it; nothing for changed data."""
    return str(CAUSES.get(case.fee_working.get("cause") or "", ""))


def fee_rule(case: ExchangeSummary) -> str:
    """The rule that decided the fee (R5)."""
    return str(FEE_RULES[case.fee_working["rule"]])


def papers(case: ExchangeSummary) -> list[Paper]:
    """The documents that were shown, and, while the exchange runs, those that the collection will ask for."""
    shown = [Paper(str(DOCUMENTS[kind]), step, seen, kept, True) for step, kind, seen, kept in case.documents]
    if case.state not in OPEN_EXCHANGE:
        return shown
    asked = [*documents_of_collection(by_proxy=case.by_proxy, on=timezone.localdate()), DocumentKind.OLD_CARD]
    asked = [kind for place, kind in enumerate(asked) if kind not in asked[:place]]
    return [*shown, *(Paper(str(DOCUMENTS[kind]), "collection", False, False, False) for kind in asked)]


def face(page: CardPage, card: Card) -> dict[str, str]:
    """What stands on the drawing of the card."""
    try:
        above = ancestors(card.organisation.region)
        where = " · ".join(row.name.removesuffix("省").removesuffix("市") for row in above)
    except Refused:
        where = ""
    name = page.name if len(page.name) <= NAME_ON_FACE else page.name[: NAME_ON_FACE - 1] + "…"
    size = "16" if len(name) <= 8 else "13"
    return {"place": where, "name": name, "size": size, "number": masked(page.person_number), "card": page.card_number}


def ready_on(case: ExchangeSummary) -> str:
    """12月1日（周二）, Tuesday 1 December: the day on which the new card can be collected."""
    if in_chinese():
        return f"{day(case.due_on)}（周{'一二三四五六日'[case.due_on.weekday()]}）"
    return f"{case.due_on:%A} {day(case.due_on)}"
