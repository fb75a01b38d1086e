"""Requests of partners over REST (S4): kept before they go to the switch, and what the switch said of them.

Between the two the outcome is unknown, and that is what is told. Nothing is booked here: the switch books.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import F
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.transactions.acquiring_models import PartnerRequest
from sheka.systems.transactions.batch_models import PartnerBatch
from sheka.systems.transactions.models import Channel, Institution, Terminal

ZONE = ZoneInfo("Asia/Shanghai")
LAST_TRACE = 999_999
_TRACE = """
INSERT INTO transactions_tracecounter (terminal_id, business_date, last) VALUES (%s, %s, 1)
ON CONFLICT (terminal_id, business_date) DO UPDATE SET last = transactions_tracecounter.last + 1 RETURNING last
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a partner asks. `amount` in fen; `original`: the key of the request that this one is about."""

    verb: str
    terminal: str = ""
    card_number: str = ""
    amount: int | None = None
    scheme: str = "310"
    currency: str = "156"
    country: str = "156"
    original: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """What the switch answered, as it is kept."""

    state: str
    refusal: int = 0
    response_code: str = ""
    authorisation: str = ""
    reference: str = ""
    balance: int | None = None
    settlement_day: str = ""


@action(Permission.TRANSACTION_SUBMIT)
def keep_request(actor: Actor, *, key: str, digest: str, wanted: Wanted) -> PartnerRequest:
    """The request under its key, new or as it stands already.

    Raises Refused: API_KEY_REUSED, PARTNER_WITHOUT_INSTITUTION, TERMINAL_NOT_YOURS, TERMINAL_OTHER_CHANNEL,
    PARTNER_ORIGINAL_UNFIT, TRACE_NUMBERS_USED_UP.
    """
    institution = institution_of(actor)
    original = _original(institution, wanted) if wanted.original else None
    terminal = original.terminal if original else terminal_of(institution, wanted.terminal)
    at = datetime.now(ZONE).replace(microsecond=0)
    one_at_a_time(institution, key)
    found = PartnerRequest.objects.filter(institution=institution, key=key).select_related(*RELATED).first()
    if found is not None:
        if found.request != digest:
            raise Refused(Code.API_KEY_REUSED)
        record(actor, "partner.request_again", f"partner_request:{found.pk}", state=found.state)
        return found
    if PartnerBatch.objects.filter(institution=institution, key=key).exists():
        raise Refused(Code.API_KEY_REUSED)
    made = PartnerRequest.objects.create(
        institution=institution,
        terminal=terminal,
        client=actor.client,
        key=key,
        request=digest,
        verb=wanted.verb,
        card_number=original.card_number if original else wanted.card_number,
        scheme=original.scheme if original else wanted.scheme,
        currency=original.currency if original else wanted.currency,
        country=original.country if original else wanted.country,
        amount=wanted.amount if wanted.amount is not None or original is None else original.amount,
        business_date=at.date(),
        stan=take_trace(terminal, at),
        at=at,
        original=original,
        state="kept",
    )
    record(
        actor,
        "partner.request",
        f"partner_request:{made.pk}",
        verb=wanted.verb,
        terminal=terminal.number,
        amount=made.amount,
        stan=made.stan,
        client=actor.client,
    )
    return made


@action(Permission.TRANSACTION_SUBMIT)
def note_sending(actor: Actor, *, request: int) -> PartnerRequest:
    """The request goes out now: from here on its outcome is unknown until it is known."""
    PartnerRequest.objects.filter(pk=request, state__in=("kept", "sent")).update(state="sent", tries=F("tries") + 1)
    found = PartnerRequest.objects.select_related(*RELATED).get(pk=request)
    record(actor, "partner.request_sent", f"partner_request:{request}", tries=found.tries)
    return found


@action(Permission.TRANSACTION_SUBMIT)
def note_answer(actor: Actor, *, request: int, said: Said) -> PartnerRequest:
    """What became of it. What is known stays as it is."""
    PartnerRequest.objects.filter(pk=request, state="sent").update(
        state=said.state,
        refusal=said.refusal,
        response_code=said.response_code,
        authorisation=said.authorisation,
        reference=said.reference,
        balance=said.balance,
        settlement_day=said.settlement_day,
        answered_at=timezone.now(),
    )
    found = PartnerRequest.objects.select_related(*RELATED).get(pk=request)
    record(actor, "partner.request_answered", f"partner_request:{request}", state=said.state, refusal=said.refusal)
    return found


@action(Permission.TRANSACTION_SUBMIT)
def note_unsent(actor: Actor, *, request: int, tries: int) -> None:
    """It did not go out at this first try, or the switch took nothing: as if it had been kept only."""
    if tries == 1:
        PartnerRequest.objects.filter(pk=request, state="sent", tries=1).update(state="kept", tries=0)
    record(actor, "partner.request_not_taken", f"partner_request:{request}", tries=tries)


@action(Permission.TRANSACTION_SUBMIT)
def prepare_inquiry(actor: Actor, *, terminal: str) -> tuple[Terminal, int]:
    """A terminal of the partner, and a trace number for a balance inquiry at it; the inquiry is audited.

    Raises as `keep_request`.
    """
    found = terminal_of(institution_of(actor), terminal)
    stan = take_trace(found, datetime.now(ZONE))
    record(actor, "partner.balance_asked", f"terminal:{terminal}", stan=stan, client=actor.client)
    return found, stan


RELATED = ("terminal__institution", "original__terminal__institution", "original__original__terminal", "institution")


def one_at_a_time(institution: Institution, key: str) -> None:
    """Who comes second with a key waits here for the first, and finds its row; until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, %s))", [key, institution.pk])


def institution_of(actor: Actor) -> Institution:
    """The institution that the client's organisation is. Raises Refused(PARTNER_WITHOUT_INSTITUTION)."""
    found = Institution.objects.filter(code=actor.organisation, test_of=None).first()
    if found is None:
        raise Refused(Code.PARTNER_WITHOUT_INSTITUTION)
    return found


def terminal_of(institution: Institution, number: str) -> Terminal:
    """A REST terminal of the institution or of its test side.

    Raises Refused: TERMINAL_NOT_YOURS, TERMINAL_OTHER_CHANNEL.
    """
    rows = Terminal.objects.select_related("institution").filter(number=number)
    found = rows.first()
    if found is None or institution.pk not in (found.institution_id, found.institution.test_of_id):
        raise Refused(Code.TERMINAL_NOT_YOURS, terminal=number)
    if found.channel != Channel.REST:
        raise Refused(Code.TERMINAL_OTHER_CHANNEL, terminal=number)
    return found


def take_trace(terminal: Terminal, at: datetime) -> int:
    """The next trace number of a terminal on a business date: never given twice.

    Raises Refused(TRACE_NUMBERS_USED_UP).
    """
    with connection.cursor() as cursor:
        cursor.execute(_TRACE, [terminal.pk, at.date()])
        last: int = cursor.fetchone()[0]
    if last > LAST_TRACE:
        raise Refused(Code.TRACE_NUMBERS_USED_UP, terminal=terminal.number)
    return last


#: What a verb can be about; a verb that is not here is about nothing before it.
FOLLOWS = {
    "completion": ("pre_authorisation",),
    "void": ("purchase", "pre_authorisation", "completion", "refund"),
    "refund": ("purchase", "completion"),
    "reversal": ("purchase", "pre_authorisation", "completion", "void", "refund"),
}


def _original(institution: Institution, wanted: Wanted) -> PartnerRequest:
    rows = PartnerRequest.objects.filter(institution=institution, key=wanted.original).select_related(*RELATED)
    found = rows.first()
    if found is None:
        raise Refused(Code.PARTNER_REQUEST_UNKNOWN, key=wanted.original)
    if found.verb not in FOLLOWS[wanted.verb]:
        problem = Term(f"种类不符（{found.verb}）", f"its kind is {found.verb}")
    elif found.state == "refused":
        problem = Term("它已被拒绝", "it was refused")
    else:
        return found
    raise Refused(Code.PARTNER_ORIGINAL_UNFIT, key=wanted.original, problem=problem)
