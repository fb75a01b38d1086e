"""End a client: its secrets and tokens stop at once."""

from __future__ import annotations

from django.db.models import Q
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.clients.models import Client
from sheka.office.clients.queries import lock_client
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission


@action(Permission.CLIENT_MANAGE)
def end_client(actor: Actor, *, code: str, reason: str) -> Client:
    """Nothing is let in with it any more; it is never used again.

    Raises Refused: CLIENT_UNKNOWN, CLIENT_ENDED, CLIENT_REASON, ORGANISATION_OUT_OF_REACH.
    """
    client, now = lock_client(actor, code), timezone.now()
    if client.ended_at is not None:
        raise Refused(Code.CLIENT_ENDED, client=client.code)
    if not reason.strip():
        raise Refused(Code.CLIENT_REASON)
    client.ended_at = now
    client.save(update_fields=["ended_at"])
    client.secrets.filter(Q(valid_until__isnull=True) | Q(valid_until__gt=now)).update(valid_until=now)
    client.tokens.all().delete()
    record(actor, "client.ended", client.subject, reason=reason.strip())
    return client
