"""Where a request comes from, and the session of staff that it belongs to."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest

from sheka.office.staff.queries import staff_with
from sheka.office.staff.sessions import rekeyed
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


def keep_signed_in(request: HttpRequest) -> None:
    """After the own password was changed: this browser goes on, under a new session key."""
    update_session_auth_hash(request, staff_with(request.user.pk))
    request.session.save()
    rekeyed(request.staff_session, request.session.session_key)
