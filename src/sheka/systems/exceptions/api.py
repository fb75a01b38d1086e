"""Exception cases over the API; disputes for partners: open one, see how it stands, answer what is asked (S10)."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from ninja import Path, Query
from pydantic import Field

from sheka.foundation.refusals import Code, Refused
from sheka.office.api import Fen, Listed, Moment, PageQuery, Request, Router, Shape, changes, page_of, reads
from sheka.office.api.books import in_books
from sheka.office.staff.permissions import Permission
from sheka.systems.exceptions.actions.follow_dispute import give_evidence, withdraw_dispute
from sheka.systems.exceptions.actions.handle_case import answer_case
from sheka.systems.exceptions.actions.open_dispute import open_dispute
from sheka.systems.exceptions.life import LONGEST, SHORTEST
from sheka.systems.exceptions.models import Dispute, ExceptionCase
from sheka.systems.exceptions.queries import cases_of, disputes_of, granted_so_far

router = Router()
EVIDENCE_LIMIT = 10 * 2**20
Number = Annotated[str, Path(pattern=r"^[0-9A-Za-z-]{1,30}$", examples=["EX4601002600000001"])]


class Case(Shape):
    """An abnormal item."""

    number: str
    organisation: str
    reason: str = Field(description="only_ours, only_theirs, amount, duplicate, unknown, dispute and others.")
    subject: str = Field(description="Institution, terminal, business date, STAN and kind.")
    amount_fen: Fen
    state: str = Field(description="unknown, open, in_hand, asked, proposed, resolved or closed.")
    due_on: date
    opened_at: Moment
    closed_at: Moment | None
    posting: int | None = Field(description="The entry that resolved it.")
    closing: str = Field(description="Why it was closed without an entry; empty while it runs or when it has one.")


class CaseQuery(PageQuery):
    """Which cases."""

    state: str | None = Field(None, pattern=r"^[a-z_]{1,20}$", examples=["open"])


class DisputeRequest(Shape):
    """What is disputed."""

    id: UUID = Field(description="Made by who disputes, once: the same id and content again is the same dispute.")
    transaction: int = Field(ge=1, le=2**62, description="Its number, as /transactions shows it.")
    complaint: str = Field(pattern=r"^[a-z_]{1,20}$", examples=["wrong_amount"])
    claimed_fen: Fen = Field(ge=1, description="At most the amount of the transaction.")
    text: str = Field(min_length=SHORTEST, max_length=LONGEST, description="What happened; no person's number.")


class AnswerRequest(Shape):
    """What the institution answers."""

    text: str = Field(min_length=SHORTEST, max_length=LONGEST)


class EvidenceShape(Shape):
    """A file that was kept with a dispute."""

    id: int
    media_type: str
    size: int = Field(description="Bytes that are kept.")
    digest: str = Field(description="SM3 of what is kept.")
    given_digest: str = Field(description="SM3 of what was sent.")


class WordShape(Shape):
    """A line that both sides read."""

    at: Moment
    what: str = Field(description="note, ask, answer, evidence, extend, close, decide, resolve, withdraw or reopen.")
    text: str


class DisputeShape(Shape):
    """How a dispute stands."""

    id: UUID
    number: str
    side: str = Field(description="Who opened it: institution, or citizen at a counter.")
    state: str
    transaction: int | None
    complaint: str
    claimed_fen: Fen
    due_on: date
    answer_due_on: date | None = Field(description="Until when the institution is asked to answer.")
    outcome: str = Field(description="upheld, partly or not_upheld; empty until another person has decided.")
    granted_fen: Fen
    posting: int | None
    opened_at: Moment
    decided_at: Moment | None
    words: list[WordShape]


@reads(router, "/exceptions", scope=Permission.EXCEPTION_VIEW, answer=Listed[Case])
def list_exceptions(request: Request, query: Query[CaseQuery]) -> dict[str, object]:
    """Cases, the most urgent first."""
    return page_of(request, cases_of(request.actor, state=query.state), query, ("due_on", "number"), _case)


@reads(router, "/exceptions/{number}", scope=Permission.EXCEPTION_VIEW, answer=Case, refusals=(Code.EXCEPTION_UNKNOWN,))
def get_exception(request: Request, number: Number) -> Case:
    """One case."""
    found = cases_of(request.actor).filter(number=number).first()
    if found is None:
        raise Refused(Code.EXCEPTION_UNKNOWN, case=number)
    return _case(found)


@reads(router, "/disputes", scope=Permission.EXCEPTION_DISPUTE, answer=Listed[DisputeShape])
def list_disputes(request: Request, page: Query[PageQuery]) -> dict[str, object]:
    """Disputes about the client's transactions, its own and those of citizens, the latest first."""
    with in_books(request.actor) as actor:
        return page_of(request, disputes_of(actor), page, ("-opened_at", "-pk"), _dispute)


@reads(
    router,
    "/disputes/{number}",
    scope=Permission.EXCEPTION_DISPUTE,
    answer=DisputeShape,
    refusals=(Code.EXCEPTION_UNKNOWN,),
)
def get_dispute(request: Request, number: Number) -> DisputeShape:
    """A dispute about one of the client's transactions: its state, what was asked, what was decided."""
    with in_books(request.actor) as actor:
        found = disputes_of(actor).filter(number=number).first()
        if found is None:
            raise Refused(Code.EXCEPTION_UNKNOWN, case=number)
        return _dispute(found)


@changes(
    router,
    "/disputes",
    scope=Permission.EXCEPTION_DISPUTE,
    answer=DisputeShape,
    refusals=(
        Code.EXCEPTION_TRANSACTION,
        Code.EXCEPTION_TOO_OLD,
        Code.EXCEPTION_AMOUNT,
        Code.EXCEPTION_COMPLAINT,
        Code.EXCEPTION_REASON,
        Code.EXCEPTION_ANOTHER,
        Code.EXCEPTION_DIFFERS,
    ),
)
def dispute(request: Request, asked: DisputeRequest) -> DisputeShape:
    """Dispute one of the client's own transactions. The same id and content again answers the same dispute."""
    with in_books(request.actor) as actor:
        made = open_dispute(
            actor,
            client_id=asked.id,
            transaction=asked.transaction,
            complaint=asked.complaint,
            claimed=asked.claimed_fen,
            text=asked.text,
        )
        return _dispute(made)


@changes(
    router,
    "/disputes/{number}/answers",
    scope=Permission.EXCEPTION_DISPUTE,
    answer=DisputeShape,
    refusals=(Code.EXCEPTION_UNKNOWN, Code.EXCEPTION_REASON, Code.STATE_FORBIDS),
)
def answer_dispute(request: Request, number: Number, answer: AnswerRequest) -> DisputeShape:
    """Answer what the bureau asked about a dispute."""
    with in_books(request.actor) as actor:
        if not disputes_of(actor).filter(number=number).exists():
            raise Refused(Code.EXCEPTION_UNKNOWN, case=number)
        return _dispute(answer_case(actor, number=number, text=answer.text))


@changes(
    router,
    "/disputes/{number}/withdrawal",
    scope=Permission.EXCEPTION_DISPUTE,
    answer=DisputeShape,
    refusals=(Code.EXCEPTION_UNKNOWN, Code.EXCEPTION_REASON, Code.STATE_FORBIDS),
)
def withdraw(request: Request, number: Number, answer: AnswerRequest) -> DisputeShape:
    """Take back a dispute that the client opened, with the reason. Not once a decision was proposed."""
    with in_books(request.actor) as actor:
        return _dispute(withdraw_dispute(actor, number=number, text=answer.text))


@changes(
    router,
    "/disputes/{number}/evidence",
    scope=Permission.EXCEPTION_DISPUTE,
    answer=EvidenceShape,
    refusals=(Code.EXCEPTION_UNKNOWN, Code.STATE_FORBIDS),
    media_types=("application/pdf", "image/jpeg", "image/png"),
    limit=EVIDENCE_LIMIT,
)
def bring_evidence(request: Request, number: Number) -> EvidenceShape:
    """Add a file to a dispute that runs. It is examined, and kept in a clean form; the same file again is kept once."""
    with in_books(request.actor) as actor:
        kept = give_evidence(actor, number=number, filename="api", content=request.body)
        return EvidenceShape(
            id=kept.pk, media_type=kept.media_type, size=kept.size, digest=kept.digest, given_digest=kept.given_digest
        )


def _case(found: ExceptionCase) -> Case:
    return Case(
        number=found.number,
        organisation=found.organisation_id,
        reason=found.reason,
        subject=found.subject,
        amount_fen=found.amount,
        state=found.state,
        due_on=found.due_on,
        opened_at=found.opened_at,
        closed_at=found.closed_at,
        posting=found.entry,
        closing=found.closing,
    )


def _dispute(found: ExceptionCase) -> DisputeShape:
    row = Dispute.objects.get(case=found)
    decided = row.decided_at is not None
    return DisputeShape(
        id=row.client_id,
        number=found.number,
        side=row.side,
        state=found.state,
        transaction=row.transaction,
        complaint=row.complaint,
        claimed_fen=row.claimed,
        due_on=found.due_on,
        answer_due_on=found.answer_due_on,
        outcome=row.outcome if decided else "",
        granted_fen=granted_so_far(found),
        posting=found.entry,
        opened_at=found.opened_at,
        decided_at=row.decided_at,
        words=[
            WordShape(at=one.at, what=one.verb, text=one.text)
            for one in found.events.filter(told=True).exclude(text="")
        ],
    )
