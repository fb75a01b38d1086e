"""Make a client of an organisation, with its first secret."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.clients.models import Client, Secret
from sheka.office.clients.policy import client_policy
from sheka.office.clients.secrets import digest_of, new_code, new_secret
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission


@action(Permission.CLIENT_MANAGE)
def make_client(
    actor: Actor,
    *,
    organisation_code: str,
    name: str,
    scopes: Iterable[Permission],
    valid_to: date,
    a_minute: int | None = None,
) -> tuple[Client, str]:
    """The client and its secret, which nobody can read again.

    Raises Refused: ORGANISATION_OUT_OF_REACH, CLIENT_NAME, CLIENT_SCOPE, CLIENT_DATES, CLIENT_LIMIT.
    """
    place, policy, today = organisation(organisation_code), client_policy(), timezone.localdate()
    actor.must_act_for(place)
    granted = sorted(set(scopes))
    if not name.strip():
        raise Refused(Code.CLIENT_NAME)
    for scope in granted:
        if scope not in policy.scopes(place.kind):
            raise Refused(Code.CLIENT_SCOPE, organisation=place.name, scope=scope.value)
    if not timedelta(0) < valid_to - today <= policy.longest:
        raise Refused(Code.CLIENT_DATES, days=policy.longest.days)
    limit = policy.a_minute if a_minute is None else a_minute
    if not 1 <= limit <= policy.most_a_minute:
        raise Refused(Code.CLIENT_LIMIT, limit=policy.most_a_minute)
    made = Client.objects.create(
        code=new_code(),
        name=name.strip(),
        organisation=place,
        scopes=[scope.value for scope in granted],
        a_minute=limit,
        valid_from=today,
        valid_to=valid_to,
        made_by=actor.name,
        made_at=timezone.now(),
    )
    secret = give_secret(made)
    record(
        actor,
        "client.made",
        made.subject,
        name=made.name,
        organisation=place.code,
        scopes=made.scopes,
        valid_to=valid_to,
        a_minute=limit,
    )
    return made, secret


def give_secret(client: Client) -> str:
    """A new secret of the client; the caller is an action and records it."""
    secret = new_secret()
    Secret.objects.create(
        client=client, organisation_id=client.organisation_id, digest=digest_of(secret), made_at=timezone.now()
    )
    return secret
