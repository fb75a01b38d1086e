"""A dispute is opened by a citizen at the counter, or by an institution over the API, once (S10)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from sheka.foundation.canonical import digest
from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.reads import read_recorded
from sheka.office.audit.trail import record
from sheka.office.organisations.models import Organisation
from sheka.office.organisations.queries import bureau_of, is_partner, organisation
from sheka.office.scope import acting_in
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.exceptions.abnormal import Abnormal
from sheka.systems.exceptions.actions.open_cases import make_cases
from sheka.systems.exceptions.life import text_of, write
from sheka.systems.exceptions.models import Complaint, Dispute, ExceptionCase, Reason, Side
from sheka.systems.exceptions.policy import policy
from sheka.systems.exceptions.standing import row_facts
from sheka.systems.transactions.queries import transactions_of_card
from sheka.systems.transactions.queries_of_abnormal import transaction_of_partner, transaction_of_place

MOST_SHOWN = 50


@action(Permission.EXCEPTION_DISPUTE)
def disputable_of_card(actor: Actor, *, card_number: str) -> list[Any]:
    """What a citizen may dispute: the transactions of a card within the days of the policy; an audited read."""
    since = timezone.localdate() - timedelta(days=policy().dispute_days_back)
    rows = list(transactions_of_card(card_number, since=since)[:MOST_SHOWN])
    read_recorded(actor, "transactions.read", f"card:{card_number}", count=len(rows))
    return rows


@action(Permission.EXCEPTION_DISPUTE)
def open_dispute(
    actor: Actor, *, client_id: UUID, transaction: int, complaint: str, claimed: int, text: str
) -> ExceptionCase:
    """A dispute about one transaction: `claimed` in fen, at most its amount. The same `client_id` and content again
    answers the case that is there.

    Raises Refused: EXCEPTION_TRANSACTION (none in reach), EXCEPTION_TOO_OLD, EXCEPTION_AMOUNT, EXCEPTION_COMPLAINT,
    EXCEPTION_REASON, EXCEPTION_ANOTHER (it is disputed already), EXCEPTION_DIFFERS (the id stands for other content).
    """
    place = organisation(actor.organisation)
    bureau = bureau_of(place)
    said = text_of(text)
    content = digest({"transaction": transaction, "complaint": complaint, "claimed": claimed, "text": said})
    with acting_in(bureau.path):
        known = Dispute.objects.filter(client_id=client_id).select_related("case").first()
        if known is not None:
            if known.digest != content or known.place != place.code:
                raise Refused(Code.EXCEPTION_DIFFERS, id=str(client_id))
            record(actor, "exception.dispute_again", known.case.key)
            return known.case
        row = _transaction(bureau, place, transaction)
        _must_be_right(row, complaint, claimed)
        case = _make(actor, bureau, row, claimed)
        side = Side.INSTITUTION if is_partner(place) else Side.CITIZEN
        Dispute.objects.create(
            case=case,
            client_id=client_id,
            digest=content,
            side=side.value,
            complaint=complaint,
            text=said,
            claimed=claimed,
            transaction=row.id,
            place=place.code,
            opener=actor.name,
            opener_id=actor.staff_id,
        )
        write(actor, case, "note", said, told=True)
        record(actor, "exception.disputed", case.key, complaint=complaint, claimed=claimed, side=side.value)
        return case


def _transaction(bureau: Organisation, place: Organisation, number: int) -> Any:
    """The row, as far as who disputes it may know of it: a partner its own, a counter those of its bureau."""
    find = transaction_of_partner if is_partner(place) else transaction_of_place
    row = find(place.code if is_partner(place) else bureau.code, number)
    if row is None:
        raise Refused(Code.EXCEPTION_TRANSACTION, number=number)
    return row


def _must_be_right(row: Any, complaint: str, claimed: int) -> None:
    if complaint not in Complaint.values:
        raise Refused(Code.EXCEPTION_COMPLAINT, complaint=complaint)
    back = policy().dispute_days_back
    if row.business_date < timezone.localdate() - timedelta(days=back):
        raise Refused(Code.EXCEPTION_TOO_OLD, days=back)
    if not 0 < claimed <= row.amount:
        raise Refused(Code.EXCEPTION_AMOUNT, most=row.amount)


def _make(actor: Actor, bureau: Organisation, row: Any, claimed: int) -> ExceptionCase:
    subject = f"{row.institution.code}:{row.terminal.number}:{row.business_date:%Y%m%d}:{row.stan:06d}:{row.kind}"
    item = Abnormal(subject, Reason.DISPUTE, claimed, row_facts(row), None)
    made = make_cases(actor, bureau, [item])
    if not made:
        other = ExceptionCase.objects.filter(organisation=bureau, subject=subject, reason=Reason.DISPUTE).latest("pk")
        raise Refused(Code.EXCEPTION_ANOTHER, case=other.number)
    return made[0]
