"""Whom a carrier can be given to, and what is kept with a file: the choices of the custodian's forms (K6, K7)."""

from __future__ import annotations

from django.db.models import QuerySet

from sheka.office.documents.models import Document
from sheka.office.organisations.models import Organisation
from sheka.office.organisations.queries import BUREAUS
from sheka.office.staff.actors import Actor
from sheka.office.staff.models import StaffMember
from sheka.systems.custody.models import Entrustment, HandOver
from sheka.systems.custody.queries.carriers import may_see


def colleagues(actor: Actor) -> QuerySet[StaffMember]:
    """Who else serves in the actor's organisation."""
    may_see(actor)
    rows = StaffMember.objects.filter(organisation_id=actor.organisation, is_active=True)
    return rows.exclude(pk=actor.staff_id).order_by("name")


def recipients(actor: Actor) -> QuerySet[Organisation]:
    """The organisations to which carriers can be sent."""
    may_see(actor)
    rows = Organisation.objects.filter(kind__in=(*BUREAUS, "card_centre"))
    return rows.exclude(code=actor.organisation).order_by("path")


def names_to_receive(actor: Actor, row: HandOver) -> bool:
    """Whether this person may receive: not the giver, at the recipient, and named where somebody is."""
    if row.recipient != actor.organisation or row.giver_id == actor.staff_id:
        return False
    login = StaffMember.objects.filter(pk=actor.staff_id).values_list("login", flat=True).first()
    return row.receiver in ("", login)


def receiver_name(actor: Actor, row: HandOver) -> str:
    """The name of the receiver who was named; "" for whoever may receive there."""
    may_see(actor)
    named = StaffMember.objects.filter(login=row.receiver, organisation_id=row.recipient).first()
    return named.name if named else row.receiver


def kept_with(actor: Actor, file: Entrustment, kind: str) -> QuerySet[Document]:
    """The documents of a kind that are kept with a third-party file."""
    may_see(actor)
    return Document.objects.filter(
        subject=file.subject, kind=kind, state="kept", organisation_id=actor.organisation
    ).order_by("-kept_at")
