"""Where a request comes from, and the session of staff that it belongs to."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest

from sheka.office.staff.tries import Visit

STAFF_SESSION = "staff_session"
"""Where a browser's session keeps the id of its session of staff."""


def visit_of(request: HttpRequest) -> Visit:
    """The client's address and its browser.

    Outside of the demo a proxy on this machine ends TLS: its last entry of X-Forwarded-For is the client (ASVS 4.1.3).
    """
    address = str(request.META.get("REMOTE_ADDR", ""))
    forwarded = request.headers.get("X-Forwarded-For", "").split(",")[-1].strip()
    if forwarded and not settings.DEMO and address in ("127.0.0.1", "::1"):
        address = forwarded
    return Visit(address, request.headers.get("User-Agent", ""))
