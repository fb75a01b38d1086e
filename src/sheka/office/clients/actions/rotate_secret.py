"""Give a client a new secret; the one before works for a time beside it."""

from __future__ import annotations

from django.db.models import Q
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.clients.actions.make_client import give_secret
from sheka.office.clients.models import Token
from sheka.office.clients.policy import client_policy
from sheka.office.clients.queries import lock_client
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission


@action(Permission.CLIENT_MANAGE)
def rotate_secret(actor: Actor, *, code: str, at_once: bool = False) -> str:
    """The new secret. The latest one before it ends after the overlap, or now (`at_once`: it may have leaked); older
    ones, and all tokens of ended ones, end now. At most two secrets are valid.

    Raises Refused: CLIENT_UNKNOWN, CLIENT_ENDED, ORGANISATION_OUT_OF_REACH.
    """
    client, now = lock_client(actor, code), timezone.now()
    if client.state_on(timezone.localdate()) != "active":
        raise Refused(Code.CLIENT_ENDED, client=client.code)
    valid = client.secrets.filter(Q(valid_until__isnull=True) | Q(valid_until__gt=now))
    latest = client.secrets.filter(valid_until__isnull=True).first()
    if latest is not None and not at_once:
        latest.valid_until = now + client_policy().overlap
        latest.save(update_fields=["valid_until"])
        valid = valid.exclude(pk=latest.pk)
    ended = list(valid.values_list("pk", flat=True))
    client.secrets.filter(pk__in=ended).update(valid_until=now)
    Token.objects.filter(secret__in=ended).delete()
    client.locked_until, client.wrong_secrets = None, 0
    client.save(update_fields=["locked_until", "wrong_secrets"])
    secret = give_secret(client)
    record(actor, "client.rotated", client.subject, at_once=at_once, ended=len(ended))
    return secret
