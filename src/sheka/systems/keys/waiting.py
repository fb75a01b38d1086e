"""Which work waits for whom because of sub-keys: opened and closed by the actions, before their audit rows."""

from __future__ import annotations

from datetime import date

from django.utils import timezone

from sheka.foundation.calendar import add_working_days
from sheka.office.organisations.models import Organisation
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.office.work.items import close_work, open_work
from sheka.systems.keys.models import Delivery

IMPORT, CONFIRM = "key.import", "key.confirm"
DAYS = 5
"""Working days in which a recipient imports what it was sent."""


def subkeys_sent(actor: Actor, to: Organisation) -> None:
    """The sender waits until the recipient's machine has found the same check values."""
    open_work(
        actor,
        kind=CONFIRM,
        subject=f"keys:{to.code}",
        organisation=actor.organisation,
        permission=Permission.KEY_DISTRIBUTE,
        title_zh=f"等待{to.name}导入子密钥并回报校验值",
        title_en=f"{to.name_en} imports its sub-keys and reports their check values",
        due_on=_due(),
        assignee_id=actor.staff_id,
    )


def subkeys_received(actor: Actor, sender: str) -> None:
    """A key officer imports the envelopes."""
    place = organisation(sender)
    open_work(
        actor,
        kind=IMPORT,
        subject=f"keys:{actor.organisation}",
        organisation=actor.organisation,
        permission=Permission.KEY_IMPORT,
        title_zh=f"把{place.name}下发的子密钥导入加密机",
        title_en=f"Import the sub-keys of {place.name_en} into the machine",
        due_on=_due(),
    )


def subkeys_imported(actor: Actor) -> None:
    """Everything that was received is in the machine."""
    close_work(actor, IMPORT, f"keys:{actor.organisation}")


def subkeys_confirmed(actor: Actor, recipient: str) -> None:
    """The check values agree; when more was sent meanwhile, its answer is waited for."""
    if not Delivery.objects.filter(held_by_id=actor.organisation, recipient=recipient, state="sent").exists():
        close_work(actor, CONFIRM, f"keys:{recipient}")


def _due() -> date:
    return add_working_days(timezone.localdate(), DAYS).day
