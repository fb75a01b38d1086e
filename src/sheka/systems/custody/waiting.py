"""Which work waits for whom because of carriers: opened and closed by the actions, before their audit rows."""

from __future__ import annotations

from datetime import date

from django.utils import timezone

from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.models import StaffMember
from sheka.office.staff.permissions import Permission
from sheka.office.work.items import close_work, open_work
from sheka.systems.custody.labels import KINDS
from sheka.systems.custody.models import (
    Carrier,
    CarrierDestruction,
    CarrierOrder,
    Entrustment,
    HandOver,
    Place,
    StockCount,
    VendorFiling,
)

ISSUE, SHIP, GIVE, TAKE = "carrier.issue", "carrier.ship", "carrier.give", "carrier.take"
CHECK, COUNT, COUNT_DUE = "carrier.check", "carrier.count", "carrier.count_due"
WITNESS, DESTROY = "carrier.witness", "carrier.destroy"
SUPERVISE, OVERDUE, FILING = "entrustment.supervise", "entrustment.overdue", "vendor.filing"
LATE = "hand_over.late"


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
    for kind in (GIVE, TAKE, LATE):
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


def count_opened(actor: Actor, count: StockCount) -> None:
    """Two people count, one after the other; the item of the first is done when there is a sheet."""
    first = count.state == "open"
    if not first:
        close_work(actor, COUNT, count.subject)
    open_work(
        actor,
        kind=COUNT,
        subject=count.subject,
        organisation=count.organisation_id,
        permission=Permission.CARRIER_COUNT,
        title_zh=f"盘点{count.place}（{'第一人' if first else '第二人'}）",
        title_en=f"Count {count.place} ({'first' if first else 'second'} counter)",
    )


def count_over(actor: Actor, count: StockCount) -> None:
    """Ended, also the reminder that the place was to be counted."""
    close_work(actor, COUNT, count.subject)
    if count.state != "given_up":
        close_work(actor, COUNT_DUE, f"place:{count.place_id}")


def count_due(actor: Actor, place: Place, due_on: date) -> None:
    """The policy asks for a count of this place."""
    open_work(
        actor,
        kind=COUNT_DUE,
        subject=f"place:{place.pk}",
        organisation=place.organisation_id,
        permission=Permission.CARRIER_KEEP,
        title_zh=f"定期盘点{place}",
        title_en=f"Periodic count of {place}",
        due_on=due_on,
    )


def destruction_listed(actor: Actor, row: CarrierDestruction, count: int) -> None:
    """Two people see it."""
    open_work(
        actor,
        kind=WITNESS,
        subject=row.subject,
        organisation=row.organisation_id,
        permission=Permission.CARRIER_WITNESS,
        title_zh=f"见证销毁载体 {count} 件",
        title_en=f"Witness the destruction of {count} carriers",
    )


def destruction_witnessed(actor: Actor, row: CarrierDestruction) -> None:
    """Everybody who is needed has confirmed: they can be destroyed."""
    close_work(actor, WITNESS, row.subject)
    open_work(
        actor,
        kind=DESTROY,
        subject=row.subject,
        organisation=row.organisation_id,
        permission=Permission.CARRIER_KEEP,
        title_zh="销毁载体并办结清单",
        title_en="Destroy the carriers and close the list",
    )


def destruction_over(actor: Actor, row: CarrierDestruction) -> None:
    """Closed or given up."""
    for kind in (WITNESS, DESTROY):
        close_work(actor, kind, row.subject)


def supervision_due(actor: Actor, row: Entrustment, due_on: date) -> None:
    """The supervisor reports while the carriers are out."""
    open_work(
        actor,
        kind=SUPERVISE,
        subject=row.subject,
        organisation=row.organisation_id,
        permission=Permission.CARRIER_TAKE,
        title_zh=f"填写对{row.party.name}的监督报告",
        title_en=f"Report on the supervision of {row.party.name_en}",
        due_on=due_on,
        assignee_id=row.supervisor_id,
    )


def supervision_reported(actor: Actor, row: Entrustment) -> None:
    close_work(actor, SUPERVISE, row.subject)


def return_overdue(actor: Actor, row: Entrustment) -> None:
    """The day of return has passed."""
    open_work(
        actor,
        kind=OVERDUE,
        subject=row.subject,
        organisation=row.organisation_id,
        permission=Permission.CARRIER_ENTRUST,
        title_zh=f"催还{row.party.name}逾期未还的载体",
        title_en=f"Get the carriers back from {row.party.name_en}: overdue",
        due_on=row.return_by,
    )


def entrustment_over(actor: Actor, row: Entrustment) -> None:
    """Everything is back, or nothing went out."""
    for kind in (SUPERVISE, OVERDUE):
        close_work(actor, kind, row.subject)


def filing_ends(actor: Actor, filing: VendorFiling) -> None:
    """A supplier's filing ends soon."""
    open_work(
        actor,
        kind=FILING,
        subject=f"vendor:{filing.party_id}",
        organisation=filing.organisation_id,
        permission=Permission.CARRIER_ENTRUST,
        title_zh=f"核实{filing.party.name}的备案：即将到期",
        title_en=f"Check the filing of {filing.party.name_en}: it ends soon",
        due_on=filing.valid_to,
    )


def filing_renewed(actor: Actor, organisation_code: str, party: str) -> None:
    close_work(actor, FILING, f"vendor:{party}", organisation=organisation_code)


def hand_over_late(actor: Actor, row: HandOver) -> None:
    """A bag has not arrived in its time."""
    open_work(
        actor,
        kind=LATE,
        subject=row.subject,
        organisation=row.organisation_id,
        permission=Permission.CARRIER_KEEP,
        title_zh=f"查询未到的封装袋 {row.bag}",
        title_en=f"Ask after the bag {row.bag}: it has not arrived",
        due_on=timezone.localdate(row.expires_at),
    )
