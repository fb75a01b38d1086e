"""The story's abnormal transactions: the early reversal has its case, a dispute is decided by two people (S10)."""

from __future__ import annotations

import uuid

from sheka.faces.story.cast import PHARMACY, acting
from sheka.faces.story.consent import approves
from sheka.faces.story.money_steps import PRICE_FEN, balance_of
from sheka.faces.story.stage import Stage, Step, must
from sheka.office.approvals.models import Proposal
from sheka.systems.accounts.queries import verify_ledger
from sheka.systems.exceptions.actions.adjust_case import propose_decision
from sheka.systems.exceptions.actions.handle_case import take_case
from sheka.systems.exceptions.actions.open_dispute import disputable_of_card, open_dispute
from sheka.systems.exceptions.jobs import take
from sheka.systems.exceptions.models import ExceptionCase, Reason

GRANTED_FEN = 580


def dispute(stage: Stage) -> str:
    """S10: the holder disputes at the counter, one officer proposes, another decides, the entry is booked once."""
    take()
    early = ExceptionCase.objects.get(reason=Reason.REVERSAL_FIRST, institution=PHARMACY)
    must(early.state == "closed" and early.rule_uses.count() == 1, "the early reversal has its case, closed by a rule")
    clerk, before = acting("longhua-clerk"), balance_of(stage)
    rows = disputable_of_card(clerk, card_number=stage.made["card"].number)
    bought = next(row for row in rows if row.kind == 1 and row.refusal == 0 and row.amount == PRICE_FEN)
    case = open_dispute(
        clerk,
        client_id=uuid.uuid4(),
        transaction=bought.id,
        complaint="wrong_amount",
        claimed=GRANTED_FEN,
        text="药盒标价30.00元，刷卡35.80元。The box says 30.00 yuan.",
    )
    officer = acting("haikou-exceptions")
    take_case(officer, number=case.number)
    reason = "价签与小票相差5.80元。The price tag and the slip differ by 5.80 yuan."
    propose_decision(officer, number=case.number, outcome="upheld", amount=GRANTED_FEN, reason=reason)
    must(balance_of(stage) == before, "nothing is booked by one person")
    approves(stage, "haikou-exceptions-2", Proposal.objects.get(subject=case.key))
    case.refresh_from_db()
    must(case.state == "resolved" and balance_of(stage) == before + GRANTED_FEN, "decided by another, and booked")
    must(not verify_ledger(), "the books hold")
    return f"{early.number} closed by rule; {case.number}: {GRANTED_FEN} fen, posting {case.entry}"


STEPS = [Step("S10", "争议：一人拟裁定，另一人审批后入账", "A dispute, decided by two people and booked", dispute)]
