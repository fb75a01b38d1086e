"""The minutes of a ceremony that is over, as a PDF signed by the organisation's encryption machine (K6)."""

from __future__ import annotations

from functools import partial

from django.conf import settings
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.documents.models import Document
from sheka.office.documents.papers.making import make_paper
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.ceremonies.minutes import minutes_facts
from sheka.systems.ceremonies.queries import ceremony_numbered
from sheka.systems.ceremonies.signing import signed_pdf
from sheka.systems.ceremonies.states import STATE_WORDS
from sheka.systems.keys.machines import machine_of


@action(Permission.CEREMONY_VIEW)
def issue_minutes(actor: Actor, *, number: str) -> Document:
    """Made once; whoever may see the ceremony can ask for them, whether it was completed, aborted or lapsed.

    The machine that signs must be open: until then they wait. Raises Refused: CEREMONY_UNKNOWN, STATE_FORBIDS while
    it runs, and what making a paper and the machine refuse.
    """
    ceremony = ceremony_numbered(actor, number)
    if ceremony.live:
        allowed = ", ".join(state for state in STATE_WORDS if state not in ("planned", "running"))
        raise Refused(Code.STATE_FORBIDS, state=ceremony.state, verb="print", allowed=allowed)
    sign = partial(
        signed_pdf,
        signer=machine_of(ceremony.organisation_id),
        node=settings.NODE.name,
        organisation=ceremony.organisation_id,
        about=ceremony.number,
        at=timezone.now(),
    )
    return make_paper(
        actor, template="ceremony_minutes", subject=ceremony.key, facts=minutes_facts(ceremony), finish=sign
    )
