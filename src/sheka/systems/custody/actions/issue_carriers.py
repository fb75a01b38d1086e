"""The ministry issues carriers: serial numbers enter its register, for an approved order or for its own stock (K5)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.organisations.models import Kind as OrganisationKind
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.custody.actions.order_carriers import must_be_a_count, must_be_a_kind
from sheka.systems.custody.drawer import manufactured
from sheka.systems.custody.labels import ORDER_STATES
from sheka.systems.custody.ledger import tell
from sheka.systems.custody.models import Carrier, CarrierOrder
from sheka.systems.custody.policy import rules
from sheka.systems.custody.states import ORDER
from sheka.systems.custody.waiting import order_issued, to_be_shipped

SERIAL = re.compile(r"[0-9A-Z][0-9A-Z-]{3,31}")


@action(Permission.CARRIER_ISSUE)
def issue_carriers(
    actor: Actor, *, kind: str, count: int, order: str = "", batch: str = "", serials: Sequence[str] = ()
) -> list[Carrier]:
    """New carriers in the ministry's register, blank and in its store. They go out by a hand-over.

    Without `serials` the node's drawer makes virtual ones; with them, these cards were bought and lie on the table.
    `order` is the number of an approved order whose kind they are.

    Raises Refused: CARRIER_ISSUER, CARRIER_ORDER, CUSTODY_UNKNOWN, CUSTODY_ENTRY.
    """
    place = organisation(actor.organisation)
    if place.kind != OrganisationKind.MINISTRY:
        raise Refused(Code.CARRIER_ISSUER, organisation=Term(place.name, place.name_en))
    must_be_a_kind(kind)
    must_be_a_count(count, rules().most_in_order)
    asked = _order(order, kind, count) if order else None
    numbers = _checked(serials, count) if serials else manufactured(kind, count)
    now = timezone.now()
    made = Carrier.objects.bulk_create(
        Carrier(
            serial=serial,
            kind=kind,
            organisation=place,
            batch=batch.strip()[:40] or f"{timezone.localdate():%Y%m%d}",
            at=place.code,
            order_number=order,
            certified=True,
            issued_at=now,
            since=now,
        )
        for serial in numbers
    )
    if asked is not None:
        _count_on(actor, asked, made)
    tell(actor, made, "issued", order=order)
    record(actor, "carrier.issued", "carriers", kind=kind, order=order, carriers=numbers)
    return made


def _order(number: str, kind: str, count: int) -> CarrierOrder:
    found = CarrierOrder.objects.select_for_update().filter(number=number, organisation__kind=OrganisationKind.MINISTRY)
    asked = found.first()
    if asked is None:
        raise Refused(Code.CUSTODY_UNKNOWN, what=Term("申领单", "order"), number=number)
    if asked.state != "approved":
        raise Refused(Code.CARRIER_ORDER, order=number, why=ORDER_STATES[asked.state])
    if asked.kind != kind:
        raise Refused(Code.CARRIER_ORDER, order=number, why=Term("载体种类不符", "it asks for another kind"))
    left = asked.count - asked.issued
    if count > left:
        raise Refused(
            Code.CARRIER_ORDER, order=number, why=Term(f"还可发放 {left} 件", f"{left} of it are left to be issued")
        )
    return asked


def _count_on(actor: Actor, asked: CarrierOrder, made: Sequence[Carrier]) -> None:
    asked.issued += len(made)
    whole = asked.issued == asked.count
    asked.state = ORDER.after(asked.state, "complete" if whole else "issue")
    asked.save(update_fields=["issued", "state"])
    if whole:
        order_issued(actor, asked)
    to_be_shipped(actor, asked)


def _checked(serials: Sequence[str], count: int) -> list[str]:
    """Serials as they are printed on bought cards. Raises Refused(CUSTODY_ENTRY)."""
    field = Term("序列号", "Serials")
    clean = [serial.strip().upper() for serial in serials]
    wrong = [serial for serial in clean if not SERIAL.fullmatch(serial)]
    if wrong:
        raise Refused(Code.CUSTODY_ENTRY, field=field, why=Term(f"“{wrong[0]}”不是序列号", f"{wrong[0]} is no serial"))
    if len(set(clean)) != len(clean) or len(clean) != count:
        why = Term(f"应为 {count} 个不同的序列号", f"{count} different ones are needed")
        raise Refused(Code.CUSTODY_ENTRY, field=field, why=why)
    known = Carrier.objects.filter(serial__in=clean, organisation__kind=OrganisationKind.MINISTRY).first()
    if known is not None:
        raise Refused(Code.CUSTODY_ENTRY, field=field, why=Term(f"{known} 已经登记", f"{known} is registered already"))
    return clean
