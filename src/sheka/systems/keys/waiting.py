"""Which work waits for whom because of keys and machines: opened and closed by the actions, before their audit rows."""

from __future__ import annotations

from datetime import date

from django.utils import timezone

from sheka.foundation.calendar import add_working_days
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.office.organisations.models import Organisation
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.office.work.items import close_work, open_work
from sheka.systems.keys.models import Consignment, Key, Machine

IMPORT, CONFIRM, DIFFER = "key.import", "key.confirm", "key.differ"
ROTATE, CERTIFICATE = "key.rotate", "machine.certificate"
DAYS = 5
"""Working days in which a recipient imports what it was sent."""


def consignment_loaded(actor: Actor, made: Consignment, to: Organisation) -> None:
    """The sender waits until the recipient's machine has found the same check values."""
    open_work(
        actor,
        kind=CONFIRM,
        subject=made.subject,
        organisation=actor.organisation,
        permission=Permission.KEY_DISTRIBUTE,
        title_zh=f"等待{to.name}导入载体 {made.carrier} 上的子密钥并回报校验值",
        title_en=f"{to.name_en} imports the sub-keys on carrier {made.carrier} and reports their check values",
        due_on=_due(),
    )


def consignment_announced(actor: Actor, made: Consignment) -> None:
    """A key officer plans the import ceremony."""
    place = organisation(made.sender)
    open_work(
        actor,
        kind=IMPORT,
        subject=made.subject,
        organisation=actor.organisation,
        permission=Permission.KEY_IMPORT,
        title_zh=f"接收载体 {made.carrier}，导入{place.name}下发的子密钥",
        title_en=f"Receive carrier {made.carrier} and import the sub-keys of {place.name_en}",
        due_on=_due(),
    )


def consignment_ended(actor: Actor, found: Consignment) -> None:
    """Imported, acknowledged, lost or disputed: nobody waits for the carrier any more."""
    for kind in (IMPORT, CONFIRM):
        close_work(actor, kind, found.subject, organisation=actor.organisation)


def check_values_differ(actor: Actor, found: Consignment) -> None:
    """The sender clears it up; it is done by a new consignment, or by an incident."""
    place = organisation(found.recipient)
    open_work(
        actor,
        kind=DIFFER,
        subject=found.subject,
        organisation=actor.organisation,
        permission=Permission.KEY_DISTRIBUTE,
        title_zh=f"{place.name}回报的校验值与发出的不一致，登记安全事件并查明原因",
        title_en=f"{place.name_en} reported other check values than were sent: record an incident, find the cause",
        due_on=timezone.localdate(),
    )


def rotation_needed(actor: Actor, key: Key, incident: str) -> str:
    """A key officer proposes the next version; the answer is the title of the work, in English."""
    name = f"{Algorithm(key.algorithm).name}"
    item = open_work(
        actor,
        kind=ROTATE,
        subject=f"rotation:{name}.{key.version}",
        organisation=actor.organisation,
        permission=Permission.KEY_PROPOSE,
        title_zh=f"轮换 {name} 第 {key.version} 版密钥（事件 {incident}）",
        title_en=f"Rotate version {key.version} of the {name} keys (incident {incident})",
        due_on=timezone.localdate(),
    )
    return item.title_en


def version_active(actor: Actor, algorithm: Algorithm, version: int) -> None:
    """A newer version works: the rotation of those before it is done."""
    for earlier in range(1, version):
        close_work(actor, ROTATE, f"rotation:{algorithm.name}.{earlier}", organisation=actor.organisation)


def certificate_ends(actor: Actor, row: Machine, days: int) -> None:
    """A key officer has the certificate renewed, or the machine replaced."""
    until = f"{row.production_until}"
    open_work(
        actor,
        kind=CERTIFICATE,
        subject=row.subject,
        organisation=row.organisation_id,
        permission=Permission.MACHINE_MANAGE,
        title_zh=f"续期加密机证书 {row.certificate}，{until} 到期",
        title_en=f"Renew the certificate {row.certificate} of the encryption machine, which ends on {until}",
        due_on=row.production_until,
    )


def certificate_in_order(actor: Actor, row: Machine) -> None:
    """Renewed, or the machine is out of service."""
    close_work(actor, CERTIFICATE, row.subject, organisation=row.organisation_id)


def _due() -> date:
    return add_working_days(timezone.localdate(), DAYS).day
