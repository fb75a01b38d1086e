"""How many requests a client may send in a minute, counted in PostgreSQL: one count for all web processes."""

from __future__ import annotations

from django.db import connection
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.clients.tokens import Caller

_COUNT = """
INSERT INTO clients_minute (client_id, organisation_id, start, count) VALUES (%s, %s, %s, 1)
ON CONFLICT (client_id, start) DO UPDATE SET count = clients_minute.count + 1 RETURNING count
"""


def count_request(caller: Caller) -> tuple[int, int]:
    """Count one request: (how many are left in this minute, seconds until the next minute).

    Raises Refused(API_RATE) with the seconds to wait in the fact `seconds`.
    """
    now = timezone.now()
    seconds = 60 - now.second
    with connection.cursor() as cursor:
        start = now.replace(second=0, microsecond=0)
        cursor.execute(_COUNT, [caller.code, caller.organisation, start])
        (count,) = cursor.fetchone()
    if count > caller.a_minute:
        raise Refused(Code.API_RATE, limit=caller.a_minute, seconds=seconds)
    return caller.a_minute - count, seconds
