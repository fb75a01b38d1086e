"""What is put before deciders so that a ceremony may be held which no other system asks for (K6)."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.approvals.matters import Field, Matter, register
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.ceremonies.scripts import PLAN, script_for, title_of


def _check(actor: Actor, payload: dict[str, Any]) -> None:
    """Only a kind whose script carries out this request. Raises Refused: CEREMONY_KIND, CEREMONY_ASKED."""
    if script_for(payload["kind"], timezone.localdate()).approval != PLAN:
        raise Refused(Code.CEREMONY_ASKED, field="kind", reason=payload["kind"])


register(
    Matter(
        kind=PLAN,
        title=Term("举行密钥仪式", "Holding of a key ceremony"),
        proposes=Permission.CEREMONY_PLAN,
        views=Permission.CEREMONY_VIEW,
        check=_check,
        summary=lambda payload: title_of(payload["kind"]),
        fields=(
            Field("kind", Term("仪式", "Ceremony"), show=title_of),
            Field("why", Term("事由", "Why"), long=True, edit=True),
        ),
    )
)
