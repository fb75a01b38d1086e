"""Take the application for an exchange: ground, documents, fee, due day, temporary proof, the new card (R1-R8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from sheka.equipment.card_reader.examination import ReaderFinding
from sheka.foundation.calendar import DueDate, WorkingCalendar, add_working_days
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.organisations.models import Organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.cards.actions.order_cards import make_cards
from sheka.systems.cards.documents import (
    Document,
    DocumentKind,
    Identity,
    Proxy,
    checked_proxy,
    must_be_complete,
    must_be_holder,
    needed_documents,
)
from sheka.systems.cards.fees import Cause, FeeDecision, Ground, decide_fee
from sheka.systems.cards.ledger import lock_card, lock_person, tell
from sheka.systems.cards.models import Card, DataChange, DocumentCheck, ExchangeCase, Person
from sheka.systems.cards.numbering import document_number
from sheka.systems.cards.policy import EXCHANGE, in_force
from sheka.systems.cards.queries.rights import right_to_issue
from sheka.systems.cards.scope import counter
from sheka.systems.cards.states import IN_PRODUCTION, OPEN_EXCHANGE
from sheka.systems.cards.waiting import exchange_applied

_EXCHANGEABLE = ("handed_out", "active", "blocked")


@dataclass(frozen=True, slots=True)
class Damage:
    """What is wrong with the card (R7): the reader's own finding, the defaced surface in words, and its cause."""

    reader: ReaderFinding | None = None
    surface: str = ""
    cause: Cause | None = None


@action(Permission.EXCHANGE_APPLY)
def apply_exchange(
    actor: Actor,
    *,
    card: Card,
    ground: Ground,
    identity: Identity,
    documents: Sequence[Document],
    proxy: Proxy | None = None,
    damage: Damage | None = None,
    change_form: str = "",
) -> ExchangeCase:
    """Open an exchange at the actor's counter and order the new card. The person's accounts are not touched (R6).

    Raises Refused: EXCHANGE_CARD_STATE, EXCHANGE_OPEN, EXCHANGE_NO_FINDING, EXCHANGE_FORM_…, EXCHANGE_DOCUMENT_MISSING,
    EXCHANGE_OLD_CARD, CARD_IDENTITY_…, CARD_PROXY_…, CARD_NOT_A_COUNTER, CARD_PERSON_HAS_ONE, ISSUANCE_….
    """
    outlet, today = counter(actor), timezone.localdate()
    old = lock_card(actor, card)
    person = lock_person(old.person_id)
    _must_be_exchangeable(old, person)
    must_be_holder(person, identity)
    agent = checked_proxy(person, proxy) if proxy is not None else None
    finding = _finding(damage, old) if ground is Ground.DAMAGED else None
    change = _form(change_form, person, old) if ground is Ground.DATA_CHANGED else None
    _must_show(documents, ground, old, by_proxy=agent is not None, on=today)
    cause = damage.cause if damage is not None else None
    fee = decide_fee(ground=ground, cause=cause, received_on=old.received_on, applied_on=today)
    case = _open(actor, outlet, old, person, agent, fee, today, ground=ground, finding=finding, change=change)
    keep_documents(actor, case, "application", documents)
    exchange_applied(actor, case)
    tell(
        actor,
        [old],
        "exchange_applied",
        exchange=case.number,
        ground=ground.value,
        due_on=case.due_on,
        fen=case.fee_fen,
    )
    record(
        actor,
        "exchange.applied",
        case.subject,
        old_card=old.subject,
        ground=ground.value,
        by_proxy=agent is not None,
        fee=fee.working,
        due_on=case.due_on,
        provisional=case.due_provisional,
        form=change.number if change else None,
        readable=finding["readable"] if finding else None,
    )
    return case


def due_day(applied_on: date, calendar: WorkingCalendar | None = None) -> DueDate:
    """When the new card is ready: R2's working days by the policy in force, with the days that were counted."""
    return add_working_days(applied_on, in_force(EXCHANGE, "ready", applied_on)["working_days"], calendar)


def strip_of(due: DueDate) -> list[dict[str, Any]]:
    """The days that were counted, as plain JSON."""
    return [_strip_day(kind) for kind in due.strip]


def _must_be_exchangeable(old: Card, person: Person) -> None:
    if old.state not in _EXCHANGEABLE:
        raise Refused(Code.EXCHANGE_CARD_STATE, state=old.state)
    running = ExchangeCase.objects.filter(person=person, state__in=OPEN_EXCHANGE).first()
    if running is not None:
        raise Refused(Code.EXCHANGE_OPEN, exchange=running.number)
    if person.cards.filter(state__in=IN_PRODUCTION).exists():
        raise Refused(Code.CARD_PERSON_HAS_ONE, state=person.cards.filter(state__in=IN_PRODUCTION).get().state)


def _finding(damage: Damage | None, old: Card) -> dict[str, Any]:
    """R7: the surface is defaced, or the reader itself found the chip unreadable. Plain JSON of what was found."""
    surface = damage.surface.strip() if damage is not None else ""
    reader = damage.reader if damage is not None else None
    if reader is not None and reader.card_number and reader.card_number != old.number:
        raise Refused(Code.CARD_OTHER_IN_READER, got=reader.card_number, expected=old.number)
    if not surface and (reader is None or reader.readable):
        raise Refused(Code.EXCHANGE_NO_FINDING)
    return {
        "surface": surface,
        "cause": damage.cause.value if damage is not None and damage.cause else None,
        "readable": reader.readable if reader is not None else None,
        "reader": reader.as_record() if reader is not None else None,
    }


def _form(number: str, person: Person, old: Card) -> DataChange:
    """R8: the confirmation form, of this person, about what the chip holds, not used before, younger than the card."""
    clean = number.strip()
    if not clean:
        raise Refused(Code.EXCHANGE_FORM_MISSING)
    change = DataChange.objects.filter(number=clean, person=person).first()
    if change is None:
        raise Refused(Code.EXCHANGE_FORM_UNKNOWN, form=clean)
    used = change.exchanges.exclude(state="cancelled").first()
    if used is not None:
        raise Refused(Code.EXCHANGE_FORM_USED, form=clean, exchange=used.number)
    made = old.personalisations.filter(state="done").last()
    if not change.on_card or (made is not None and change.at <= made.started_at):
        raise Refused(Code.EXCHANGE_FORM_OLDER, form=clean)
    return change


def _must_show(documents: Sequence[Document], ground: Ground, old: Card, *, by_proxy: bool, on: date) -> None:
    must_be_complete(documents, needed_documents(ground, by_proxy=by_proxy, on=on))
    for document in documents:
        if document.kind is DocumentKind.OLD_CARD and document.number and document.number != old.number:
            raise Refused(Code.EXCHANGE_OLD_CARD, got=document.number, expected=old.number)


def _open(
    actor: Actor,
    outlet: Organisation,
    old: Card,
    person: Person,
    agent: Proxy | None,
    fee: FeeDecision,
    today: date,
    **ground: Any,
) -> ExchangeCase:
    due, now = due_day(today), timezone.now()
    right = right_to_issue(old.organisation_id, more=1)
    batch = make_cards(actor, [person], outlet, right, old.specification, Algorithm(old.algorithm), "exchange")
    proof_days = in_force(EXCHANGE, "temporary_proof", today)["days_after_due"]
    return ExchangeCase.objects.create(
        number=document_number("H", old.organisation),
        person=person,
        old_card=old,
        new_card=batch.cards.get(),
        outlet=outlet,
        proxy_name=agent.name if agent else "",
        proxy_number=agent.number if agent else "",
        proxy_relation=agent.relation if agent else "",
        fee_fen=fee.fen,
        fee_working=fee.working,
        applied_at=now,
        applied_on=today,
        due_on=due.day,
        due_provisional=due.provisional,
        due_strip=strip_of(due),
        proof_number=document_number("T", old.organisation),
        proof_to=due.day + timedelta(days=proof_days),
        by=actor.name,
        **ground,
    )


def _strip_day(kind: Any) -> dict[str, Any]:
    return {
        "day": kind.day.isoformat(),
        "working": kind.working,
        "provisional": kind.provisional,
        "zh": kind.reason.zh,
        "en": kind.reason.en,
    }


def keep_documents(actor: Actor, case: ExchangeCase, step: str, documents: Sequence[Document]) -> None:
    """A row for each document shown at this step of the exchange; the last one named of a kind counts."""
    now = timezone.now()
    DocumentCheck.objects.bulk_create(
        DocumentCheck(
            exchange=case,
            step=step,
            kind=document.kind.value,
            number=document.number,
            original_seen=document.original,
            copy_kept=document.copy,
            by=actor.name,
            at=now,
        )
        for document in {document.kind: document for document in documents}.values()
    )
