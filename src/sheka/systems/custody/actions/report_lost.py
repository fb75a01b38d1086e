"""A carrier is missing: stopped at once, here and wherever it went through; and found again (K9)."""

from __future__ import annotations

from sheka.foundation.terms import Term
from sheka.office.actions import action
from sheka.office.messages.outbox import send
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.custody.ledger import MINISTRY, lock_carrier, move, must_say, note
from sheka.systems.custody.models import Carrier, HandOver, Kind
from sheka.systems.custody.reporting import LOST, LOST_PSAM, report


@action(Permission.CARRIER_REPORT_LOSS)
def report_lost(actor: Actor, serial: str, how: str, *, incident: str = "") -> Carrier:
    """Nobody reads it in or hands it over any more, here and wherever it went through; an incident tells superior and
    ministry in the same transaction. `incident` is the number of one that was reported already.

    Raises Refused: CARRIER_UNKNOWN, CUSTODY_ENTRY, STATE_FORBIDS.
    """
    said = must_say(Term("经过", "What happened"), how)
    found = lock_carrier(actor, serial)
    found.state_before, found.hand_over = found.state, ""
    move(actor, [found], "report_lost", "lost", reason=said)
    tell_others(actor, found, "lost", {"reason": said, "content": found.content})
    place, name = found.place, found.keeper_name
    where, holder = place or "—", name or "—"
    about = Term(
        f"载体 {serial} 丢失。存放处：{where}；持有人：{holder}。",
        f"The carrier {serial} is lost. Place: {where}; holder: {holder}.",
    )
    incident = incident or report(actor, LOST_PSAM if found.kind == Kind.PSAM else LOST, [found], about, said)
    found.refresh_from_db()
    note(actor, "lost", [found], reason=said, incident=incident)
    return found


@action(Permission.CARRIER_KEEP)
def find_carrier(actor: Actor, serial: str, how: str) -> Carrier:
    """It is there again. It stays frozen: what is on it may be known to others, and the incident decides."""
    said = must_say(Term("经过", "What happened"), how)
    found = lock_carrier(actor, serial)
    found.at, found.keeper, found.keeper_name, found.place = actor.organisation, None, "", None
    found.state_before = "returned"
    move(actor, [found], "find", "found", reason=said)
    note(actor, "found", [found], reason=said)
    return found


def tell_others(actor: Actor, carrier: Carrier, event: str, facts: dict[str, object]) -> None:
    """The ministry, the superior, and every organisation with which it was handed over."""
    place = organisation(actor.organisation)
    others = {MINISTRY, place.parent_id}
    rows = HandOver.objects.filter(organisation_id=actor.organisation, items__contains=[{"serial": carrier.serial}])
    for sender, recipient in rows.values_list("sender", "recipient"):
        others |= {sender, recipient}
    for other in sorted(code for code in others if code and code != actor.organisation):
        payload = {"event": event, "serial": carrier.serial, "facts": facts}
        send(actor.organisation, other, "custody.ended", payload)
