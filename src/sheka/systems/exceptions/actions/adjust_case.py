"""Manual adjustments and the decisions of disputes: put before an approver, booked once, linked to the case (S10)."""

from __future__ import annotations

import uuid
from typing import Any

from django.utils import timezone

from sheka.foundation.money import format_yuan
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.actions import action
from sheka.office.approvals.actions.propose import propose
from sheka.office.approvals.models import Proposal
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.accounts.models import EntryKind
from sheka.systems.accounts.posting import Item, must_be_done, post
from sheka.systems.exceptions.guards import must_be_free
from sheka.systems.exceptions.informing import tell_opener, tell_staff
from sheka.systems.exceptions.labels import OUTCOMES
from sheka.systems.exceptions.life import locked, move, text_of
from sheka.systems.exceptions.models import Closing, Dispute, ExceptionCase
from sheka.systems.exceptions.policy import policy
from sheka.systems.exceptions.queries import granted_about, granted_so_far
from sheka.systems.exceptions.standing import account_in_role
from sheka.systems.transactions.queries_of_abnormal import give_back, went_back

ADJUST, DECIDE = "exceptions.adjust", "exceptions.decide"
"""The two matters that approvers decide."""
TAKING = (1, 4)
"""Kinds of transactions that took money from the card: purchase, completion."""


@action(Permission.EXCEPTION_HANDLE)
def propose_adjustment(
    actor: Actor, *, number: str, debit: str, credit: str, amount: int, reason: str
) -> ExceptionCase:
    """Ask for a booking between two accounts of the case (roles personal, institution, suspense), `amount` in fen.

    Raises Refused: EXCEPTION_AMOUNT, EXCEPTION_ACCOUNT, EXCEPTION_SAME_ACCOUNT, EXCEPTION_REASON, STATE_FORBIDS,
    EXCEPTION_OTHER_HOLDER, what `propose` refuses.
    """
    case, said = locked(actor, number), text_of(reason)
    must_be_free(actor, case, "adjust")
    payload = {"case": case.number, **_booking(case, debit, credit, amount), "reason": said}
    return _put(actor, case, ADJUST, payload, said)


@action(Permission.EXCEPTION_HANDLE)
def propose_decision(
    actor: Actor, *, number: str, outcome: str, reason: str, amount: int = 0, debit: str = "", credit: str = ""
) -> ExceptionCase:
    """The provisional decision of a dispute: upheld, partly or not_upheld; what is granted is given back by a booking.
    Another person decides it. What is granted in all, earlier decisions included, is at most what was claimed.
    Raises Refused: EXCEPTION_OUTCOME, EXCEPTION_GRANTED, EXCEPTION_WENT_BACK, and as `propose_adjustment`.
    """
    case, said = locked(actor, number), text_of(reason)
    must_be_free(actor, case, "decide")
    dispute = Dispute.objects.select_for_update().get(case=case)
    if outcome not in ("upheld", "partly", "not_upheld"):
        raise Refused(Code.EXCEPTION_OUTCOME, outcome=outcome)
    payload: dict[str, Any] = {"case": case.number, "complaint": dispute.complaint, "claimed": dispute.claimed}
    payload |= {"outcome": outcome, "reason": said}
    before = granted_so_far(case)
    if outcome != "not_upheld":
        _must_fit_claim(outcome, amount, before, dispute.claimed)
        payload |= _booking(case, debit or "institution", credit or "personal", amount)
        _must_be_left(case, dispute, payload)
    dispute.outcome, dispute.granted = outcome, before + payload.get("amount", 0)
    dispute.provisional_at = timezone.now()
    dispute.save(update_fields=["outcome", "granted", "provisional_at"])
    return _put(actor, case, DECIDE, payload, said)


@action(Permission.EXCEPTION_HANDLE)
def send_back_case(actor: Actor, *, number: str, why: str) -> ExceptionCase:
    """The request of a case was refused, withdrawn or lapsed: its holder has it in hand again. Called by the clock."""
    case = locked(actor, number)
    case.proposal = None
    move(actor, case, "send_back", why)
    if case.holder_id is not None:
        tell_staff(case, [case.holder_id], zh="审批未通过，请继续处理", en="not approved, go on")
    return case


def adjusted(actor: Actor, proposal: Proposal) -> dict[str, Any]:
    """Book what was approved and end the case: runs in the transaction of the last approval."""
    case = _of(actor, proposal)
    case.entry, case.resolution = _book(actor, case, proposal.payload), proposal.payload["reason"][:400]
    move(actor, case, "resolve", proposal.payload["reason"], facts={"posting": case.entry}, told=True)
    if case.holder_id is not None:
        tell_staff(case, [case.holder_id], zh="调账已入账", en="the adjustment is booked")
    return {"posting": case.entry, "case": case.number}


def decided(actor: Actor, proposal: Proposal) -> dict[str, Any]:
    """Book what a dispute was granted, or close it; both sides hear of it: in the caller's transaction, which is
    that of the last approval.
    """
    case, payload = _of(actor, proposal), proposal.payload
    dispute = Dispute.objects.select_for_update().get(case=case)
    dispute.decided_at, dispute.decided_by = timezone.now(), actor.name
    dispute.save(update_fields=["decided_at", "decided_by"])
    case.resolution = payload["reason"][:400]
    facts: dict[str, Any] = {"outcome": payload["outcome"], "granted": payload.get("amount", 0)}
    if payload["outcome"] == "not_upheld":
        case.closing = Closing.NOT_UPHELD.value
        move(actor, case, "decide", payload["reason"], facts=facts, told=True)
    else:
        _must_be_left(case, dispute, payload)
        case.entry = _book(actor, case, payload)
        _count_back(case, dispute, payload)
        facts["posting"] = case.entry
        move(actor, case, "resolve", payload["reason"], facts=facts, told=True)
    word = OUTCOMES[payload["outcome"]]
    tell_opener(case, zh=f"{word.zh}：{payload['reason']}", en=f"{word.en}: {payload['reason']}")
    if case.holder_id is not None:
        tell_staff(case, [case.holder_id], zh=f"裁定已生效：{word.zh}", en=f"decided: {word.en}")
    return {"case": case.number, **facts}


def check_booking(actor: Actor, payload: dict[str, Any]) -> None:
    """What cannot be put before anybody: a booking of more than the policy allows, or within one account."""
    if "amount" in payload:
        _must_be_possible(payload["debit"]["role"], payload["credit"]["role"], payload["amount"])


def _put(actor: Actor, case: ExceptionCase, kind: str, payload: dict[str, Any], said: str) -> ExceptionCase:
    made = propose(actor, kind=kind, subject=case.key, payload=payload)
    if case.holder_id is None:
        case.holder, case.holder_id = actor.name, actor.staff_id
    case.proposal = made.number
    return move(actor, case, "propose", said, facts={"proposal": str(made.number)})


def _booking(case: ExceptionCase, debit: str, credit: str, amount: int) -> dict[str, Any]:
    """The two accounts by role and number, the amount, and the id that makes the booking happen once."""
    _must_be_possible(debit, credit, amount)
    return {
        "debit": {"role": debit, "account": account_in_role(case, debit).number},
        "credit": {"role": credit, "account": account_in_role(case, credit).number},
        "amount": amount,
        "client_id": str(uuid.uuid4()),
    }


def _must_be_possible(debit: str, credit: str, amount: int) -> None:
    if debit == credit:
        raise Refused(Code.EXCEPTION_SAME_ACCOUNT)
    if not 0 < amount <= policy().most:
        raise Refused(Code.EXCEPTION_AMOUNT, most=policy().most)


def _must_fit_claim(outcome: str, amount: int, before: int, claimed: int) -> None:
    """All of the claim is upheld, less is upheld in part, more is nothing."""
    if (outcome == "partly") == (amount + before < claimed) and amount + before <= claimed:
        return
    if not before:
        raise Refused(Code.EXCEPTION_AMOUNT, most=claimed)
    told = [Term(format_yuan(fen, "zh"), format_yuan(fen, "en")) for fen in (claimed, before)]
    raise Refused(Code.EXCEPTION_GRANTED, claimed=told[0], granted=told[1])


def _must_be_left(case: ExceptionCase, dispute: Dispute, payload: dict[str, Any]) -> None:
    """Nobody gets back more than was paid: what was refunded meanwhile, or granted in another dispute about the same
    purchase, is not given once more. Asked again when it is decided.
    """
    if _gives_back(case, dispute, payload):
        back = went_back(dispute.transaction) + granted_about(case)
        if payload["amount"] > case.ours["amount"] - back:
            raise _too_much(case, back)


def _count_back(case: ExceptionCase, dispute: Dispute, payload: dict[str, Any]) -> None:
    """And the till refunds no more than what is left after a decision: it counts as a refund does. The booking holds
    the lock of the account by now, so a refund of this moment is seen too.
    """
    number, paid = dispute.transaction, case.ours
    if _gives_back(case, dispute, payload) and not give_back(
        number, paid["amount"], case.institution, case.entry, payload["amount"]
    ):
        raise _too_much(case, went_back(number) + granted_about(case))


def _gives_back(case: ExceptionCase, dispute: Dispute, payload: dict[str, Any]) -> bool:
    """Whether a decision gives the citizen something back of a purchase or completion that our books have."""
    taken = (case.ours or {}).get("kind") in TAKING and dispute.transaction is not None
    return taken and payload["credit"]["role"] == "personal"


def _too_much(case: ExceptionCase, back: int) -> Refused:
    told = [Term(format_yuan(fen, "zh"), format_yuan(fen, "en")) for fen in (case.ours["amount"], back)]
    return Refused(Code.EXCEPTION_WENT_BACK, amount=told[0], back=told[1])


def _of(actor: Actor, proposal: Proposal) -> ExceptionCase:
    """The case of a request, which still waits for exactly this one. Raises Refused(EXCEPTION_OTHER_REQUEST)."""
    case = locked(actor, proposal.payload["case"])
    if case.state != "proposed" or case.proposal != proposal.number:
        raise Refused(Code.EXCEPTION_OTHER_REQUEST, case=case.number)
    return case


def _book(actor: Actor, case: ExceptionCase, payload: dict[str, Any]) -> int:
    """The number of the posting; the same request books nothing twice, and it moves the accounts that were approved.

    Raises Refused: EXCEPTION_OTHER_REQUEST where a role has another account by now, and why the ledger refuses.
    """
    sides = [account_in_role(case, payload[side]["role"]) for side in ("debit", "credit")]
    if [one.number for one in sides] != [payload[side]["account"] for side in ("debit", "credit")]:
        raise Refused(Code.EXCEPTION_OTHER_REQUEST, case=case.number)
    item = Item(
        client_id=uuid.UUID(payload["client_id"]),
        kind=EntryKind.ADJUSTMENT,
        debit=sides[0],
        credit=sides[1],
        amount=payload["amount"],
        reference=case.number,
    )
    posted = post(actor, [item])
    must_be_done([item], posted)
    record(actor, "exception.booked", case.key, posting=posted[0].posting, amount=payload["amount"])
    return posted[0].posting
