"""A partner's batch at the switch (S4, S8; ADR 29): totals as 0500, lines as 0320, spoken as the partner's terminal.

A message keeps its trace number and time, so that asked again it is the same message and is answered the same. What
the switch has written decides where an answer was lost.
"""

from __future__ import annotations

from sheka.foundation.refusals import Code, Refused
from sheka.office.staff.actors import Actor
from sheka.systems.transactions.actions.partner_batches import (
    WantedBatch,
    keep_batch,
    note_batch_answer,
    note_batch_sending,
    note_batch_unsent,
    note_lines,
)
from sheka.systems.transactions.actions.partner_requests import RELATED, ZONE
from sheka.systems.transactions.batch_models import PartnerBatch, PartnerBatchLine
from sheka.systems.transactions.partner_line import NOT_TAKEN, line_of, message_of, refused_with
from sheka.systems.transactions.terminal import Answer, Terminal
from sheka.systems.transactions.terminal_messages import Totals
from sheka.systems.transactions.verb_models import Batch

KNOWN = ("in_balance", "out_of_balance", "refused", "uploaded")
UNBALANCED = Code.BATCH_OUT_OF_BALANCE.value


def submit_batch(actor: Actor, *, key: str, digest: str, wanted: WantedBatch) -> tuple[PartnerBatch, bool]:
    """The batch with its outcome, and whether it was known before. Out of balance is an outcome, not a refusal.

    Raises Refused: what `keep_batch` raises, SWITCH_UNREACHABLE, SWITCH_OUTCOME_UNKNOWN, and whatever the switch
    refuses it for.
    """
    row = keep_batch(actor, key=key, digest=digest, wanted=wanted)
    known = row.state in KNOWN
    if not known:
        row = _drive(actor, row)
    if row.state == "refused":
        raise _refusal_of(row)
    return row, known


def resolved(actor: Actor, row: PartnerBatch) -> PartnerBatch:
    """What is known of it now: when the answer to its totals was lost, what the switch has written."""
    if row.state != "sent" or row.upload:
        return row
    found = Batch.objects.filter(
        business_date=row.business_date, terminal_id=row.terminal_id, stan=row.stan, institution_id=_side(row)
    ).first()
    if found is None:
        return row
    return note_batch_answer(actor, batch=row.pk, state=_state(found.refusal), refusal=found.refusal, ours=found.ours)


def _drive(actor: Actor, row: PartnerBatch) -> PartnerBatch:
    row = note_batch_sending(actor, batch=row.pk)
    if row.state != "sent":
        return row  # another request with the same key has the answer
    if row.upload:
        return _upload(actor, row)
    try:
        with line_of(row.terminal, row.stan or 0) as line:
            answer = line.settle(
                _day(row),
                Totals(*(row.theirs or ())),
                after_upload=row.after_upload,
                sent=(row.stan or 0, row.at.astimezone(ZONE)),
                repeat=row.tries > 1,
            )
        _must_be_told(answer)
    except Refused as refusal:
        raise _not_answered(actor, row, refusal) from None
    ours = None if answer.totals is None else [getattr(answer.totals, name) for name in Totals.__slots__]
    return note_batch_answer(
        actor,
        batch=row.pk,
        state=_state(answer.refusal),
        refusal=answer.refusal,
        response_code=answer.response_code,
        ours=ours,
    )


def _upload(actor: Actor, row: PartnerBatch) -> PartnerBatch:
    """Every line that has no answer yet, over one line; what was answered is kept, however it ends."""
    lines = row.lines.filter(state="sent").select_related(*(f"about__{name}" for name in RELATED))
    answered: dict[int, int] = {}
    try:
        first = lines.first()
        with line_of(row.terminal, first.stan if first else 1) as line:
            for one in lines:
                answer = _say(line, row, one)
                _must_be_told(answer)
                answered[one.pk] = answer.refusal
    except Refused as refusal:
        if answered:
            note_lines(actor, batch=row.pk, answered=answered)
            raise Refused(Code.SWITCH_OUTCOME_UNKNOWN) from None
        raise _not_answered(actor, row, refusal) from None
    return note_lines(actor, batch=row.pk, answered=answered)


def _say(line: Terminal, row: PartnerBatch, one: PartnerBatchLine) -> Answer:
    about, back = one.about, one.about.verb == "reversal"
    original = about.original if back and about.original is not None else about
    sent = (one.stan, row.at.astimezone(ZONE))
    return line.upload(_day(row), message_of(original), one.amount, reversal=back, sent=sent, repeat=one.tries > 1)


def _must_be_told(answer: Answer) -> None:
    """Raises the refusals that say that nothing was done, or that nobody knows."""
    if answer.refusal in NOT_TAKEN or answer.refusal == Code.SWITCH_OUTCOME_UNKNOWN.value:
        raise refused_with(answer.refusal)


def _not_answered(actor: Actor, row: PartnerBatch, refusal: Refused) -> Refused:
    """What is told when nothing of it has an answer: it was not taken, or its outcome is unknown."""
    if refusal.code is Code.SWITCH_UNREACHABLE or refusal.number in NOT_TAKEN:
        note_batch_unsent(actor, batch=row.pk, tries=row.tries)
        return refusal
    return Refused(Code.SWITCH_OUTCOME_UNKNOWN)


def _state(refusal: int) -> str:
    return {0: "in_balance", UNBALANCED: "out_of_balance"}.get(refusal, "refused")


def _refusal_of(row: PartnerBatch) -> Refused:
    return refused_with(row.refusal, terminal=row.terminal.number, date=_day(row), field=15)


def _day(row: PartnerBatch) -> str:
    return f"{row.settlement_date:%m%d}"


def _side(row: PartnerBatch) -> int:
    """The institution whose terminal it is: the partner's, or its test side."""
    return row.terminal.institution_id
