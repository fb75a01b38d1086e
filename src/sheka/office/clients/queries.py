"""Reading clients."""

from __future__ import annotations

from django.db.models import QuerySet

from sheka.foundation.refusals import Code, Refused
from sheka.office.clients.models import Client
from sheka.office.staff.actors import Actor


def clients_of(actor: Actor) -> QuerySet[Client]:
    """The clients of the actor's organisation and those below it."""
    return Client.objects.filter(organisation__path__within=actor.path).select_related("organisation")


def client_named(actor: Actor, code: str) -> Client:
    """One client within the actor's reach. Raises Refused(CLIENT_UNKNOWN)."""
    found = clients_of(actor).filter(code=code).first()
    if found is None:
        raise Refused(Code.CLIENT_UNKNOWN, client=code)
    return found


def lock_client(actor: Actor, code: str) -> Client:
    """The same, its row locked until the end of the action. Raises Refused(CLIENT_UNKNOWN)."""
    found = clients_of(actor).select_for_update(of=("self",)).filter(code=code).first()
    if found is None:
        raise Refused(Code.CLIENT_UNKNOWN, client=code)
    return found
