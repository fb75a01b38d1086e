"""Which work waits for whom because of carriers: opened and closed by the actions, before their audit rows."""

from __future__ import annotations

from django.utils import timezone

from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.models import StaffMember
from sheka.office.staff.permissions import Permission
from sheka.office.work.items import close_work, open_work
from sheka.systems.custody.labels import KINDS
from sheka.systems.custody.models import Carrier, CarrierOrder, HandOver

ISSUE, SHIP, GIVE, TAKE = "carrier.issue", "carrier.ship", "carrier.give", "carrier.take"
CHECK = "carrier.check"


def issue_asked(actor: Actor, order: CarrierOrder) -> None:
    """The ministry approved it: a custodian issues the serials."""
    kind = KINDS[order.kind]
    open_work(
        actor,
        kind=ISSUE,
        subject=order.subject,
        organisation=actor.organisation,
        permission=Permission.CARRIER_ISSUE,
        title_zh=f"发放{kind.zh} {order.count} 件",
        title_en=f"Issue {order.count} of {kind.en}",
    )


def order_issued(actor: Actor, order: CarrierOrder) -> None:
    """The whole order has its serials."""
    close_work(actor, ISSUE, order.subject)


def to_be_shipped(actor: Actor, order: CarrierOrder) -> None:
    """What was issued for an order goes to the one who asked."""
    place = organisation(order.origin)
    open_work(
        actor,
        kind=SHIP,
        subject=order.subject,
        organisation=actor.organisation,
        permission=Permission.CARRIER_KEEP,
        title_zh=f"把已发放的载体移交{place.name}",
        title_en=f"Hand the issued carriers over to {place.name_en}",
    )


def shipped(actor: Actor, carriers: list[Carrier]) -> None:
    """Handed on: an order of which nothing lies here any more waits for nobody."""
    for number in {carrier.order_number for carrier in carriers if carrier.order_number}:
        left = Carrier.objects.filter(organisation_id=actor.organisation, order_number=number, state="blank")
        if not left.exists():
            close_work(actor, SHIP, f"carrier_order:{number}")


def hand_over_begun(actor: Actor, row: HandOver) -> None:
    """The giver confirms next."""
    open_work(
        actor,
        kind=GIVE,
        subject=row.subject,
        organisation=row.organisation_id,
        permission=Permission.CARRIER_TAKE,
        title_zh=f"确认交出载体 {len(row.items)} 件",
        title_en=f"Confirm giving {len(row.items)} carriers",
        due_on=timezone.localdate(row.expires_at),
        assignee_id=row.giver_id,
    )


def hand_over_given(actor: Actor, row: HandOver) -> None:
    """The receiver confirms next, or whoever may receive there."""
    close_work(actor, GIVE, row.subject, organisation=row.organisation_id)
    if row.organisation_id != row.recipient:
        return
    named = StaffMember.objects.filter(login=row.receiver, organisation_id=row.recipient).first()
    open_work(
        actor,
        kind=TAKE,
        subject=row.subject,
        organisation=row.recipient,
        permission=Permission.CARRIER_TAKE,
        title_zh=f"签收{row.giver_name}交来的载体 {len(row.items)} 件",
        title_en=f"Receive {len(row.items)} carriers from {row.giver_name}",
        due_on=timezone.localdate(row.expires_at),
        assignee_id=named.pk if named else None,
    )


def hand_over_ended(actor: Actor, row: HandOver) -> None:
    """Completed, refused, cancelled or lapsed."""
    for kind in (GIVE, TAKE):
        close_work(actor, kind, row.subject, organisation=row.organisation_id)


def to_be_checked(actor: Actor, carrier: Carrier) -> None:
    """It came back: seal and content are looked at before it is used again."""
    open_work(
        actor,
        kind=CHECK,
        subject=carrier.subject,
        organisation=carrier.organisation_id,
        permission=Permission.CARRIER_KEEP,
        title_zh="查验归还的载体：封签与内容",
        title_en="Check the returned carrier: seal and content",
    )


def checked(actor: Actor, carrier: Carrier) -> None:
    close_work(actor, CHECK, carrier.subject, organisation=carrier.organisation_id)
