"""The story's held money: a pre-authorisation completed in part, and a refund in parts (S4). It ends where it began,
so the day's net stays what was bought.
"""

from __future__ import annotations

from sheka.faces.story.money_steps import MONTH_FEN, PRICE_FEN, balance_of, note, refused, terminal
from sheka.faces.story.stage import Stage, Step, must
from sheka.foundation.refusals import Code

COMPLETION, REFUND = 4, 6
HELD_FEN, TAKEN_FEN, RETURNED_FEN = 5_000, 2_000, 500
BEFORE = MONTH_FEN - PRICE_FEN


def hold_and_complete(stage: Stage) -> str:
    """S4, C2: what is held nobody else spends; less is taken than was held, once, and the rest is free again."""
    card = stage.made["card"].number
    with terminal(stage, stan=500) as line:
        held, answer = line.pre_authorise(card, HELD_FEN)
        must(answer.approved and answer.balance == BEFORE - HELD_FEN, "held, and no longer available")
        must(balance_of(stage) == BEFORE, "nothing was taken yet")
        done, answer = line.complete(held, TAKEN_FEN)
        must(answer.approved and answer.balance == BEFORE - TAKEN_FEN, "taken, and the rest is free")
        again = line.complete(held, 1)[1]
        must(again.refusal == Code.PRE_AUTHORISATION_COMPLETED.value, "completed once")
    note(stage, done, COMPLETION)
    stage.made["completion"] = done
    return f"{HELD_FEN} fen held, {TAKEN_FEN} taken; again: {refused(again)}"


def refund_in_parts(stage: Stage) -> str:
    """S4: refunds add up to the original and never above it."""
    done = stage.made["completion"]
    with terminal(stage, stan=600) as line:
        first, answer = line.refund(done, RETURNED_FEN)
        must(answer.approved, "a part is refunded")
        above = line.refund(done, TAKEN_FEN)[1]
        must(above.refusal == Code.REFUND_ABOVE_ORIGINAL.value, "not more than was paid")
        rest, answer = line.refund(done, TAKEN_FEN - RETURNED_FEN)
        must(answer.approved and answer.balance == BEFORE, "the rest is refunded")
    for request in (first, rest):
        note(stage, request, REFUND)
    return f"{RETURNED_FEN} + {TAKEN_FEN - RETURNED_FEN} fen; above it: {refused(above)}"


STEPS = [
    Step("S4", "预授权，按实际金额部分完成", "A pre-authorisation, completed in part", hold_and_complete),
    Step("S4", "部分退货，合计不超过原交易", "Refunds in parts, together at most the original", refund_in_parts),
]
