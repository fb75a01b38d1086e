"""Plan a ceremony: its script of today written out for a roster, both frozen under one digest (K6)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.actions import action
from sheka.office.approvals.models import Proposal
from sheka.office.approvals.queries import locked
from sheka.office.approvals.states import STATE_WORDS
from sheka.office.audit.trail import record
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.ceremonies.models import Ceremony, Seat
from sheka.systems.ceremonies.queries import carried_out_by
from sheka.systems.ceremonies.roster import checked, seats_of
from sheka.systems.ceremonies.scripts import PLAN, SCHEMES, Script, script_for, written_out
from sheka.systems.ceremonies.waiting import call, keep_work
from sheka.systems.keys.catalogue import generated_at

REHEARSED = "REHEARSAL"
"""The carrier of a rehearsal: its own test card, which has no serial in custody."""
_NUMBERS = 0x4345_5245
"""The lock under which numbers are given."""


@action(Permission.CEREMONY_PLAN)
def plan_ceremony(
    actor: Actor,
    *,
    kind: str,
    leader: int,
    custodians: list[int],
    witness: int,
    proposal_id: int | None = None,
    rehearsal: bool = False,
    asked: Mapping[str, Any] | None = None,
) -> Ceremony:
    """`leader`, `custodians` and `witness` are accounts; `asked` is what the script asks for (scheme, threshold,
    carrier, backup). A rehearsal takes no approval and the same script.

    Raises Refused: CEREMONY_KIND, CEREMONY_APPROVAL, CEREMONY_TAKEN, CEREMONY_ASKED, and what the roster refuses.
    """
    script, today = script_for(kind, timezone.localdate()), timezone.localdate()
    proposal = None if rehearsal else _approved(actor, script, proposal_id)
    number = _number(actor.organisation, today.year)
    roster = checked(actor, script, seats_of(leader, custodians, witness), number, proposal)
    wanted = _asked(script, len(custodians), dict(asked or {}), rehearsal)
    if proposal is None:
        names = generated_at(organisation(actor.organisation).kind)[:1]
        wanted |= {"names": names, "algorithm": int(Algorithm.SM4), "version": 1}
    names = (proposal.payload if proposal else wanted).get("names", [])
    now = timezone.now()
    made = Ceremony(
        number=number,
        organisation_id=actor.organisation,
        kind=kind,
        rehearsal=rehearsal,
        proposal=proposal,
        proposal_digest=proposal.digest if proposal else "",
        script=written_out(script, len(custodians), int(wanted.get("threshold") or len(custodians)), names),
        asked=wanted,
        planned_by_id=actor.staff_id,
        planned_by_name=actor.name,
        planned_at=now,
        due_at=_due(now + timedelta(days=script.days), proposal),
    )
    made.save()
    Seat.objects.bulk_create(
        Seat(ceremony=made, key=key, staff=staff, name=staff.name, person=person) for key, staff, person in roster
    )
    made.digest = made.frozen()
    made.save(update_fields=["digest"])
    call(made, but=actor.staff_id)
    keep_work(actor, made)
    record(
        actor,
        "ceremony.planned",
        made.key,
        kind=kind,
        rehearsal=rehearsal,
        digest=made.digest,
        approval=proposal.key if proposal else "",
        roster={key: staff.name for key, staff, _person in roster},
    )
    return made


def _approved(actor: Actor, script: Script, proposal_id: int | None) -> Proposal:
    if proposal_id is None:
        raise Refused(Code.CEREMONY_APPROVAL, expected=script.approval, state="—")
    proposal = locked(actor, proposal_id)
    about_it = proposal.kind == script.approval and (proposal.kind != PLAN or proposal.payload["kind"] == script.kind)
    if not about_it or proposal.state != "approved" or proposal.organisation_id != actor.organisation:
        raise Refused(Code.CEREMONY_APPROVAL, expected=script.approval, state=STATE_WORDS[proposal.state])
    other = carried_out_by(proposal)
    if other is not None:
        raise Refused(Code.CEREMONY_TAKEN, number=other.number)
    return proposal


def _asked(script: Script, custodians: int, asked: dict[str, Any], rehearsal: bool) -> dict[str, Any]:
    """What the script asks for and nothing else. Raises Refused(CEREMONY_ASKED)."""
    found: dict[str, Any] = {}
    if "components" in script.asks:
        found["scheme"] = _one_of("scheme", asked.get("scheme", "xor"), SCHEMES)
    if "threshold" in script.asks or found.get("scheme") == "shamir":
        found["threshold"] = _threshold(asked.get("threshold"), custodians)
    if "carrier" in script.asks:
        found["carrier"] = REHEARSED if rehearsal else _number_of("carrier", asked)
    if "backup" in script.asks:
        found["backup"] = _number_of("backup", asked)
        made = Ceremony.objects.filter(number=found["backup"]).first()
        if (made is not None and made.rehearsal) is not rehearsal:  # a test key never gets into a real machine
            raise Refused(Code.CEREMONY_ASKED, field=_FIELDS["backup"], reason=found["backup"])
    return found


_FIELDS = {
    "scheme": Term("分割方式", "scheme"),
    "threshold": Term("门限", "threshold"),
    "carrier": Term("载体编号", "carrier"),
    "backup": Term("备份", "back-up"),
}


def _one_of(name: str, value: Any, known: tuple[str, ...]) -> str:
    if value not in known:
        raise Refused(Code.CEREMONY_ASKED, field=_FIELDS[name], reason=str(value)[:40])
    return str(value)


def _number_of(name: str, asked: dict[str, Any]) -> str:
    number = str(asked.get(name, "")).strip()
    if not number.replace("-", "").isalnum():
        raise Refused(Code.CEREMONY_ASKED, field=_FIELDS[name], reason=number[:40] or "—")
    return number


def _threshold(value: Any, custodians: int) -> int:
    """At least two people, at most all."""
    threshold = int(value) if str(value).isdecimal() else 0
    if not 2 <= threshold <= custodians:
        raise Refused(Code.CEREMONY_ASKED, field=_FIELDS["threshold"], reason=f"2…{custodians}")
    return threshold


def _due(at: Any, proposal: Proposal | None) -> Any:
    """No later than the approval stands."""
    return min(at, proposal.due_at) if proposal and proposal.due_at else at


def _number(place: str, year: int) -> str:
    """The next number of the organisation in this year: C460000-2026-007."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_NUMBERS])
    begin = f"C{place}-{year}-"
    last = Ceremony.objects.filter(number__startswith=begin).order_by("-pk").values_list("number", flat=True).first()
    return f"{begin}{int(last[len(begin) :]) + 1 if last else 1:03d}"
