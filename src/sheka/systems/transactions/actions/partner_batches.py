"""Batches of partners over REST (S4, S8): kept before they go to the switch, and what the switch said of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db.models import F
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.transactions.acquiring_models import PartnerRequest
from sheka.systems.transactions.actions.partner_requests import (
    RELATED,
    ZONE,
    institution_of,
    one_at_a_time,
    take_trace,
    terminal_of,
)
from sheka.systems.transactions.batch_models import PartnerBatch, PartnerBatchLine
from sheka.systems.transactions.models import Institution, Terminal

BATCH_RELATED = ("terminal__institution", "institution")
FARTHEST = 150
"""Days that a settlement day may be away: the message names month and day, not the year."""
MOVED = frozenset(("purchase", "completion", "void", "refund", "reversal"))
"""What may have moved money; a pre-authorisation only holds it."""


@dataclass(frozen=True, slots=True)
class WantedBatch:
    """What a partner asks of a batch. `theirs`: eight values in the order of fields 74 to 77 and 86 to 89, None for an
    upload, whose `lines` are pairs of a request's key and the fen that it moved.
    """

    terminal: str
    settlement_date: date
    theirs: Sequence[int] | None = None
    after_upload: bool = False
    lines: Sequence[tuple[str, int]] = field(default_factory=tuple)


@action(Permission.TRANSACTION_SUBMIT)
def keep_batch(actor: Actor, *, key: str, digest: str, wanted: WantedBatch) -> PartnerBatch:
    """The batch under its key, new or as it stands already; every line of an upload gets its trace number now.

    Raises Refused: API_KEY_REUSED, PARTNER_WITHOUT_INSTITUTION, TERMINAL_NOT_YOURS, TERMINAL_OTHER_CHANNEL,
    SETTLEMENT_DAY_UNKNOWN, PARTNER_REQUEST_UNKNOWN, PARTNER_ORIGINAL_UNFIT, TRACE_NUMBERS_USED_UP.
    """
    institution = institution_of(actor)
    terminal = terminal_of(institution, wanted.terminal)
    if abs((wanted.settlement_date - timezone.localdate()).days) > FARTHEST:
        raise Refused(Code.SETTLEMENT_DAY_UNKNOWN)
    at = datetime.now(ZONE).replace(microsecond=0)
    one_at_a_time(institution, key)
    found = PartnerBatch.objects.filter(institution=institution, key=key).select_related(*BATCH_RELATED).first()
    if found is not None:
        if found.request != digest:
            raise Refused(Code.API_KEY_REUSED)
        record(actor, "partner.batch_again", f"partner_batch:{found.pk}", state=found.state)
        return found
    if PartnerRequest.objects.filter(institution=institution, key=key).exists():
        raise Refused(Code.API_KEY_REUSED)
    about = _named(institution, terminal, [one for one, _amount in wanted.lines])
    upload = wanted.theirs is None
    made = PartnerBatch.objects.create(
        institution=institution,
        terminal=terminal,
        client=actor.client,
        key=key,
        request=digest,
        upload=upload,
        settlement_date=wanted.settlement_date,
        after_upload=wanted.after_upload,
        theirs=None if wanted.theirs is None else list(wanted.theirs),
        business_date=at.date(),
        stan=None if upload else take_trace(terminal, at),
        at=at,
    )
    PartnerBatchLine.objects.bulk_create(
        PartnerBatchLine(batch=made, place=place, about=about[one], amount=amount, stan=take_trace(terminal, at))
        for place, (one, amount) in enumerate(wanted.lines, start=1)
    )
    record(
        actor,
        "partner.batch",
        f"partner_batch:{made.pk}",
        terminal=terminal.number,
        day=wanted.settlement_date.isoformat(),
        lines=len(wanted.lines),
        after_upload=wanted.after_upload,
        client=actor.client,
    )
    return made


@action(Permission.TRANSACTION_SUBMIT)
def note_batch_sending(actor: Actor, *, batch: int) -> PartnerBatch:
    """It goes out now, with every line that has no answer yet: unknown until it is known."""
    PartnerBatch.objects.filter(pk=batch, state__in=("kept", "sent")).update(state="sent", tries=F("tries") + 1)
    PartnerBatchLine.objects.filter(batch_id=batch, state__in=("kept", "sent")).update(
        state="sent", tries=F("tries") + 1
    )
    found = _batch(batch)
    record(actor, "partner.batch_sent", f"partner_batch:{batch}", tries=found.tries)
    return found


@action(Permission.TRANSACTION_SUBMIT)
def note_batch_answer(
    actor: Actor,
    *,
    batch: int,
    state: str,
    refusal: int = 0,
    response_code: str = "",
    ours: Sequence[int] | None = None,
) -> PartnerBatch:
    """What the switch said of the totals. What is known stays as it is."""
    PartnerBatch.objects.filter(pk=batch, state="sent").update(
        state=state,
        refusal=refusal,
        response_code=response_code,
        ours=None if ours is None else list(ours),
        answered_at=timezone.now(),
    )
    found = _batch(batch)
    record(actor, "partner.batch_answered", f"partner_batch:{batch}", state=found.state, refusal=found.refusal)
    return found


@action(Permission.TRANSACTION_SUBMIT)
def note_lines(actor: Actor, *, batch: int, answered: Mapping[int, int]) -> PartnerBatch:
    """What the switch said of lines, refusal numbers by their id; with the last of them the upload is done."""
    for line, refusal in sorted(answered.items()):
        PartnerBatchLine.objects.filter(pk=line, batch_id=batch, state="sent").update(
            state="refused" if refusal else "accepted", refusal=refusal
        )
    rest = PartnerBatchLine.objects.filter(batch_id=batch, state__in=("kept", "sent"))
    if not rest.exists():
        PartnerBatch.objects.filter(pk=batch, state="sent").update(state="uploaded", answered_at=timezone.now())
    record(
        actor,
        "partner.batch_lines",
        f"partner_batch:{batch}",
        answered=len(answered),
        refused=sum(refusal != 0 for refusal in answered.values()),
    )
    return _batch(batch)


@action(Permission.TRANSACTION_SUBMIT)
def note_batch_unsent(actor: Actor, *, batch: int, tries: int) -> None:
    """It did not go out at this first try, or the switch took nothing: as if it had been kept only."""
    if tries == 1:
        PartnerBatch.objects.filter(pk=batch, state="sent", tries=1).update(state="kept", tries=0)
        PartnerBatchLine.objects.filter(batch_id=batch, state="sent", tries=1).update(state="kept", tries=0)
    record(actor, "partner.batch_not_taken", f"partner_batch:{batch}", tries=tries)


def _batch(number: int) -> PartnerBatch:
    return PartnerBatch.objects.select_related(*BATCH_RELATED).get(pk=number)


def _named(institution: Institution, terminal: Terminal, keys: Sequence[str]) -> dict[str, PartnerRequest]:
    """The requests that lines name. Raises Refused: PARTNER_REQUEST_UNKNOWN, PARTNER_ORIGINAL_UNFIT."""
    rows = PartnerRequest.objects.filter(institution=institution, key__in=set(keys)).select_related(*RELATED)
    found = {row.key: row for row in rows}
    for key in keys:
        row = found.get(key)
        if row is None:
            raise Refused(Code.PARTNER_REQUEST_UNKNOWN, key=key)
        if row.terminal_id != terminal.pk:
            problem = Term("它在另一终端办理", "it was made at another terminal")
        elif row.verb not in MOVED:
            problem = Term(f"种类不符（{row.verb}）", f"its kind is {row.verb}")
        elif row.state == "refused":
            problem = Term("它已被拒绝", "it was refused")
        else:
            continue
        raise Refused(Code.PARTNER_ORIGINAL_UNFIT, key=key, problem=problem)
    return found
