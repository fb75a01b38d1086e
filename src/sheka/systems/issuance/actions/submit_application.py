"""A city applies to issue: the application goes to the province for preliminary examination (I2)."""

from __future__ import annotations

import uuid
from typing import Any

from django.utils import timezone

from sheka.foundation.canonical import digest
from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.messages.outbox import send
from sheka.office.organisations.models import Kind
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.issuance.models import Application
from sheka.systems.issuance.states import APPLICATION

MATERIALS = (
    "implementation_plan",
    "management_rules",
    "card_surface_design",
    "file_structure",
    "supplier_and_product",
    "security_plan",
)


@action(Permission.ISSUANCE_APPLY)
def submit_application(
    actor: Actor, *, materials: dict[str, str], quantity: int, layout_digest: str, scope: str
) -> Application:
    """Send an application on its way.

    `materials` names a document for each of MATERIALS; `layout_digest` is the SM3 of the card profile and surface.
    Raises Refused: ISSUANCE_WRONG_APPLICANT, ISSUANCE_MATERIALS, ISSUANCE_QUANTITY.
    """
    place = organisation(actor.organisation)
    if place.kind != Kind.CITY or place.parent_id is None:
        raise Refused(Code.ISSUANCE_WRONG_APPLICANT, organisation=place.name)
    missing = [name for name in MATERIALS if not materials.get(name, "").strip()]
    if missing:
        raise Refused(Code.ISSUANCE_MATERIALS, missing=", ".join(missing))
    if quantity <= 0:
        raise Refused(Code.ISSUANCE_QUANTITY, asked=quantity, left=0)
    payload: dict[str, Any] = {
        "applicant": place.code,
        "materials": materials,
        "quantity": quantity,
        "layout_digest": layout_digest,
        "scope": scope,
    }
    application = Application.objects.create(
        number=uuid.uuid4(),
        held_by=place,
        applicant=place.code,
        payload=payload,
        digest=digest(payload),
        state=APPLICATION.after(APPLICATION.initial, "submit"),
        author_id=actor.staff_id,
        at=timezone.now(),
    )
    told = {"number": str(application.number), "payload": payload, "digest": application.digest}
    send(place.code, place.parent_id, "issuance.application.submitted", told)
    record(actor, "issuance.submitted", f"application:{application.number}", digest=application.digest)
    return application
