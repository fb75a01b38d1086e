"""Letting a client in: its secret for a short token, its token for an actor (RFC 6749 §4.4, RFC 6750).

Who asks is not known before its row is read, so these look at the whole node, by the digest of what was shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.audit.trail import record
from sheka.office.clients.models import Client, Minute, Reply, Secret, Token
from sheka.office.clients.policy import ClientPolicy, client_policy
from sheka.office.clients.secrets import digest_of, new_token
from sheka.office.scope import whole_node
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission

WHY = "who asks is not known before the row of its client is read"


@dataclass(frozen=True, slots=True)
class Access:
    """What a client gets for its secret: shown once, valid for `seconds`."""

    token: str
    seconds: int
    scopes: list[str]


@dataclass(frozen=True, slots=True)
class Caller:
    """A client that sent a request with a good token."""

    code: str
    organisation: str
    a_minute: int
    actor: Actor


def give_token(code: str, secret: str, wanted: list[str] | None = None) -> Access:
    """A token with the scopes asked for, or with all that the client holds.

    Raises Refused: API_CLIENT_REFUSED (the same for an unknown client and a wrong secret), API_CLIENT_LOCKED,
    API_SCOPE.
    """
    with whole_node(WHY):
        shown = _secret_of(code, secret)
        with transaction.atomic():
            client = Client.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=code)
            now = timezone.now()
            held = _scopes(client, client.scopes)
            for scope in wanted or ():
                if scope not in held:
                    raise Refused(Code.API_SCOPE, scope=scope)
            token, policy = new_token(), client_policy()
            _forget(client, now, policy)
            scopes = sorted(set(wanted or held))
            Token.objects.create(
                digest=digest_of(token),
                client=client,
                organisation_id=client.organisation_id,
                secret=shown,
                scopes=scopes,
                issued_at=now,
                expires_at=min(now + policy.token, shown.valid_until or datetime.max.replace(tzinfo=now.tzinfo)),
            )
            client.wrong_secrets, client.locked_until, client.last_used_at = 0, None, now
            client.save(update_fields=["wrong_secrets", "locked_until", "last_used_at"])
            record(_actor(client, scopes), "client.token_given", client.subject, scopes=scopes)
            return Access(token, int(policy.token.total_seconds()), scopes)


def caller_with(token: str) -> Caller:
    """Who sent this token. Raises Refused(API_TOKEN_REFUSED): unknown, expired, revoked, or the client has ended."""
    with whole_node(WHY):
        rows = Token.objects.select_related("client__organisation")
        found = rows.filter(digest=digest_of(token), expires_at__gt=timezone.now()).first()
        if found is None or not _in_use(found.client):
            raise Refused(Code.API_TOKEN_REFUSED)
        client = found.client
        return Caller(client.code, client.organisation_id, client.a_minute, _actor(client, found.scopes))


def _secret_of(code: str, secret: str) -> Secret:
    """The valid secret that was shown. A wrong one is counted and audited in a transaction of its own."""
    now, policy = timezone.now(), client_policy()
    client = Client.objects.select_related("organisation").filter(code=code).first()
    shown = Secret.objects.filter(client_id=code, digest=digest_of(secret)).first()
    if client is None or not _in_use(client):
        raise Refused(Code.API_CLIENT_REFUSED)
    if client.locked_until and client.locked_until > now:
        raise Refused(Code.API_CLIENT_LOCKED, minutes=int(policy.locked.total_seconds() // 60))
    if shown is None or (shown.valid_until is not None and shown.valid_until <= now):
        _wrong(client, policy)
    return shown


def _in_use(client: Client) -> bool:
    """Neither ended nor past its last day, and its organisation is open."""
    today, place = timezone.localdate(), client.organisation
    is_open = place.valid_from <= today and (place.valid_to is None or today < place.valid_to)
    return is_open and client.state_on(today) == "active"


def _wrong(client: Client, policy: ClientPolicy) -> None:
    """Count the wrong secret, lock at the limit, and refuse."""
    with transaction.atomic():
        Client.objects.filter(pk=client.pk).update(wrong_secrets=F("wrong_secrets") + 1)
        client.refresh_from_db(fields=["wrong_secrets"])
        locked = client.wrong_secrets >= policy.wrong_secrets
        if locked:
            Client.objects.filter(pk=client.pk).update(wrong_secrets=0, locked_until=timezone.now() + policy.locked)
        record(_actor(client, []), "client.secret_wrong", client.subject, locked=locked)
    raise Refused(Code.API_CLIENT_REFUSED)


def _actor(client: Client, scopes: list[str]) -> Actor:
    """The client as it acts: no person, so it decides nothing that needs one; never more than the policy lets it."""
    place = client.organisation
    rights = frozenset(map(Permission, _scopes(client, scopes)))
    return Actor(None, client.subject, place.code, place.path, rights, client=client.code)


def _scopes(client: Client, scopes: list[str]) -> list[str]:
    """Those that the policy still lets a client of its kind hold, and that it still holds."""
    allowed = client_policy().scopes(client.organisation.kind)
    return [scope for scope in scopes if scope in allowed and scope in client.scopes]


def _forget(client: Client, now: datetime, policy: ClientPolicy) -> None:
    """What this client no longer needs: expired tokens, counted minutes, answers past their days."""
    Token.objects.filter(client=client, expires_at__lte=now).delete()
    Minute.objects.filter(client=client, start__lt=now - policy.token).delete()
    Reply.objects.filter(client=client, at__lt=now - policy.replies_kept).delete()
