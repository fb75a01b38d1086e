"""A posting is never changed: what was wrong is taken back by a contra entry that another person approves (S6)."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from sheka.foundation.money import plain_yuan
from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.approvals.actions.propose import propose
from sheka.office.approvals.models import Proposal
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.accounts.booking import book_all, number_from
from sheka.systems.accounts.models import OF_THE_SWITCH, Correction, Entry, EntryKind, Transfer, Verb
from sheka.systems.accounts.posting import Item
from sheka.systems.accounts.queries import account_numbered

CORRECT = "accounts.correct"


@action(Permission.ACCOUNT_CORRECT)
def propose_correction(
    actor: Actor, *, account: str, posting: int, amount: int, reason: str, document: str
) -> Proposal:
    """Ask to take back `amount` fen of a posting of this account. Nothing is booked before it is approved.

    Raises Refused: ACCOUNT_UNKNOWN, ACCOUNT_REASON, CORRECTION_ORIGINAL, CORRECTION_OF_CARD, CORRECTION_AMOUNT,
    ORGANISATION_OUT_OF_REACH.
    """
    found = account_numbered(account)
    actor.must_act_for(found.organisation_id)
    reason, document = said(reason), said(document)
    original = original_of(account, posting)
    must_be_left(original, amount)
    payload = {
        "account": found.number,
        "posting": posting,
        "kind": original.kind,
        "original": original.amount,
        "amount": amount,
        "from": original.credit.number,
        "to": original.debit.number,
        "reason": reason,
        "document": document,
    }
    made = propose(actor, kind=CORRECT, subject=f"account:{found.number}", payload=payload)
    record(actor, "account.correction_asked", f"account:{found.number}", posting=posting, amount=amount)
    return made


def corrected(actor: Actor, proposal: Proposal) -> dict[str, Any]:
    """The last approval: the contra entry, once, beside its original. Runs in its transaction.

    Raises Refused: CORRECTION_ORIGINAL, CORRECTION_AMOUNT, and what the ledger refuses (no money, not open).
    """
    payload = proposal.payload
    original = original_of(payload["account"], payload["posting"])
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 4350))", [f"{original.posting_id}"])
    must_be_left(original, payload["amount"])
    item = Item(
        client_id=number_from("correction", proposal.number),
        kind=EntryKind.CORRECTION,
        debit=original.credit,
        credit=original.debit,
        amount=payload["amount"],
        reference=f"#{original.posting_id} {payload['document']}",
    )
    (booked,) = book_all(Actor.process("accounts", proposal.organisation_id), [item])
    Correction.objects.create(
        organisation_id=proposal.organisation_id,
        original=original.posting_id,
        contra=booked.posting,
        amount=payload["amount"],
        reason=payload["reason"],
        proposal=proposal.number,
        by=actor.name,
        at=timezone.now(),
    )
    record(
        actor,
        "account.corrected",
        f"account:{payload['account']}",
        original=original.posting_id,
        contra=booked.posting,
        amount=payload["amount"],
    )
    return {"posting": booked.posting}


def original_of(account: str, posting: int) -> Transfer:
    """The transfer behind a posting of an account. Raises Refused: CORRECTION_ORIGINAL, CORRECTION_OF_CARD."""
    entry = Entry.objects.filter(account__number=account, posting_id=posting).first()
    if entry is None or entry.kind == EntryKind.CORRECTION:
        raise Refused(Code.CORRECTION_ORIGINAL, posting=posting)
    if entry.kind in OF_THE_SWITCH:
        raise Refused(Code.CORRECTION_OF_CARD, posting=posting)
    rows = Transfer.objects.select_related("debit", "credit").filter(verb__in=(Verb.BOOK, Verb.POST))
    found = rows.filter(posting_id=posting, refusal=0).first()
    if found is None or found.debit is None or found.credit is None:
        raise Refused(Code.CORRECTION_ORIGINAL, posting=posting)
    return found


def left_of(original: Transfer) -> int:
    """What of a posting was not taken back yet."""
    taken = Correction.objects.filter(original=original.posting_id).aggregate(total=Sum("amount"))["total"]
    return original.amount - (taken or 0)


def must_be_left(original: Transfer, amount: int) -> None:
    """Raises Refused(CORRECTION_AMOUNT)."""
    left = left_of(original)
    if not 0 < amount <= left:
        raise Refused(Code.CORRECTION_AMOUNT, left=plain_yuan(left))


def said(text: str) -> str:
    """A reason or the number of a document. Raises Refused(ACCOUNT_REASON)."""
    clean = text.strip()
    if not 2 <= len(clean) <= 300:
        raise Refused(Code.ACCOUNT_REASON)
    return clean
