"""What the two sides of a dispute do while it runs: withdraw it, bring evidence (S10)."""

from __future__ import annotations

from sheka.foundation.crypto.sm3 import sm3
from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.documents.actions.keep_document import keep_document
from sheka.office.documents.models import Document
from sheka.office.organisations.queries import bureau_of, organisation
from sheka.office.scope import acting_in
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.exceptions.informing import tell_staff
from sheka.systems.exceptions.life import move, text_of, write
from sheka.systems.exceptions.models import Closing, ExceptionCase
from sheka.systems.exceptions.queries import disputes_of
from sheka.systems.exceptions.states import RUNNING

EVIDENCE = "dispute_evidence"


@action(Permission.EXCEPTION_DISPUTE)
def withdraw_dispute(actor: Actor, *, number: str, text: str) -> ExceptionCase:
    """Who opened a dispute takes it back, before a decision is proposed: nothing is booked, the reason stays.

    Raises Refused: EXCEPTION_UNKNOWN (also for the other side), EXCEPTION_REASON, STATE_FORBIDS.
    """
    said = text_of(text)
    with acting_in(bureau_of(organisation(actor.organisation)).path):
        case = _locked(actor, number)
        if case.dispute.place != actor.organisation:
            raise Refused(Code.EXCEPTION_UNKNOWN, case=number)
        case.closing, case.resolution = Closing.WITHDRAWN.value, said[:400]
        move(actor, case, "withdraw", said, told=True)
        if case.holder_id is not None:
            tell_staff(case, [case.holder_id], zh=f"申请人已撤回争议：{said}", en=f"the dispute is withdrawn: {said}")
        return case


def give_evidence(actor: Actor, *, number: str, filename: str, content: bytes) -> Document:
    """An institution brings a file to a dispute about one of its transactions. It is examined and kept in the books of
    the bureau, where the officer who has the case reads it; the same file again is kept once.

    Raises Refused: EXCEPTION_UNKNOWN, STATE_FORBIDS once the dispute has ended, what `keep_document` refuses.
    """
    actor.require(Permission.EXCEPTION_DISPUTE)
    bureau = bureau_of(organisation(actor.organisation))
    with acting_in(bureau.path):
        case = _running(disputes_of(actor).filter(number=number).first(), number)
        keeper = Actor.process("exceptions", bureau.code)
        kept = keep_document(keeper, kind=EVIDENCE, subject=case.key, filename=filename, content=content)
    _note_evidence(actor, number=number, kept=kept, digest=sm3(content).hex())
    return kept


@action(Permission.EXCEPTION_DISPUTE)
def _note_evidence(actor: Actor, *, number: str, kept: Document, digest: str) -> None:
    with acting_in(bureau_of(organisation(actor.organisation)).path):
        case = _locked(actor, number)
        if not case.events.filter(verb="evidence", facts__contains={"document": kept.pk}).exists():
            write(actor, case, "evidence", kept.label, facts={"document": kept.pk, "digest": digest}, told=True)
            if case.holder_id is not None:
                tell_staff(case, [case.holder_id], zh="机构提交了证明材料", en="the institution brought evidence")
        record(actor, "exception.evidence", case.key, document=kept.pk, digest=digest)


def _locked(actor: Actor, number: str) -> ExceptionCase:
    """A dispute that this actor may follow, held to the end of the transaction, while it runs."""
    rows = disputes_of(actor).select_related("dispute").select_for_update(of=("self",))
    return _running(rows.filter(number=number).first(), number)


def _running(case: ExceptionCase | None, number: str) -> ExceptionCase:
    if case is None:
        raise Refused(Code.EXCEPTION_UNKNOWN, case=number)
    if case.state not in RUNNING:
        raise Refused(Code.STATE_FORBIDS, state=case.state, verb="follow", allowed=", ".join(RUNNING))
    return case
