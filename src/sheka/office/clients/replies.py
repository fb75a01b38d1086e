"""One answer for one Idempotency-Key: the claim, what is done and the answer are one transaction (design §2.7).

A second request with the same key waits at the unique row until the first has ended: then it gets the same answer, or,
when the first did nothing, its own turn.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from django.db import OperationalError, connection, transaction
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.clients.models import Reply
from sheka.office.clients.tokens import Caller

WAIT_MILLISECONDS = 5000
_CLAIM = """
INSERT INTO clients_reply (client_id, organisation_id, key, request, status, headers, body, at)
VALUES (%s, %s, %s, %s, 0, '{}', '', %s) ON CONFLICT (client_id, key) DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it is kept: status, the headers that belong to it, body."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


def claim(caller: Caller, key: str, request: str) -> Answer | None:
    """Inside a transaction: take the key (None), or the answer that was given to it.

    `request` is the digest of the whole request. Raises Refused: API_KEY_REUSED, API_KEY_BUSY.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("the claim and what is done must be one transaction")
    with connection.cursor() as cursor:
        try:
            with transaction.atomic():
                cursor.execute(f"SET LOCAL lock_timeout = {WAIT_MILLISECONDS}")
                cursor.execute(_CLAIM, [caller.code, caller.organisation, key, request, timezone.now()])
                taken = cursor.rowcount == 1
                cursor.execute("SET LOCAL lock_timeout = 0")
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", "") == "55P03":
                raise Refused(Code.API_KEY_BUSY) from None
            raise
    if taken:
        return None
    found = Reply.objects.get(client_id=caller.code, key=key)
    if found.request != request:
        raise Refused(Code.API_KEY_REUSED)
    return Answer(found.status, found.headers, bytes(found.body))


def keep(caller: Caller, key: str, answer: Answer) -> None:
    """Write the answer to the claimed key, in the same transaction."""
    Reply.objects.filter(client_id=caller.code, key=key).update(
        status=answer.status, headers=answer.headers, body=answer.body
    )
