"""One member of staff for every role at every level where it can be granted, signed in, in the town of this process."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.core.handlers.base import BaseHandler
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils import timezone

from sheka.faces.console.visits import STAFF_SESSION
from sheka.faces.story.cast import installer
from sheka.office.organisations.actions.add_organisation import add_organisation
from sheka.office.organisations.models import Organisation
from sheka.office.organisations.queries import path_label
from sheka.office.staff.models import Grant, StaffMember, StaffSession
from sheka.office.staff.permissions import role_levels

PAIRS = sorted((role, level) for role, levels in role_levels().items() for level in levels)
HERE = {
    "ministry": "000000",
    "province": "460000",
    "city": "460100",
    "district": "460106",
    "outlet": "460100-01",
    "card_centre": "460100-CC",
}
ELSEWHERE = {"city": "460200", "district": "460203", "outlet": "460200-01", "card_centre": "460200-CC"}


def person_at(place: str, role: str | None) -> StaffMember:
    """A new person at a place with one role, or with none."""
    login = f"gen-{role or 'nobody'}-{place}".lower().replace("_", "-")[:40]
    found = StaffMember.objects.filter(login=login).first()
    if found is not None:
        return found
    found = StaffMember.objects.create(login=login, name=login, person_id=login, organisation_id=place, password="!")
    if role is not None:
        today = timezone.localdate()
        Grant.objects.create(
            staff=found,
            role=role,
            valid_from=today,
            valid_to=today + timedelta(days=9),
            granted_by="test",
        )
    return found


def signed_in(staff: StaffMember, language: str = "en") -> Desk:
    """A desk with a session of this person, as the second step of signing in leaves it."""
    store, now = SessionStore(), timezone.now()
    store.create()
    row = StaffSession.objects.create(
        staff=staff,
        organisation_id=staff.organisation_id,
        key=store.session_key,
        factor="code",
        address="127.0.0.1",
        agent="test",
        started_at=now,
        seen_at=now,
    )
    store[SESSION_KEY] = str(staff.pk)
    store[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    store[HASH_SESSION_KEY] = staff.get_session_auth_hash()
    store[STAFF_SESSION] = str(row.pk)
    store.save()
    return Desk({settings.SESSION_COOKIE_NAME: store.session_key, settings.LANGUAGE_COOKIE_NAME: language})


class Desk:
    """A browser of this process: requests through all middleware, without what Django's test client notes beside."""

    def __init__(self, cookies: dict[str, str]) -> None:
        self.requests = RequestFactory()
        for name, value in cookies.items():
            self.requests.cookies[name] = value
        self.handler = BaseHandler()
        self.handler.load_middleware()

    def ask(
        self, method: str, address: str, data: dict[str, str] | None = None, accept: str = "text/html"
    ) -> HttpResponse:
        """The answer to a request; a form for POST."""
        if method == "POST":
            send = self.requests.post(address, data or {}, HTTP_ACCEPT=accept)
        else:
            send = self.requests.generic(method, address, HTTP_ACCEPT=accept)
        send._dont_enforce_csrf_checks = True  # else what is refused for its form would look refused for its right
        return self.handler.get_response(send)

    def get(self, address: str) -> HttpResponse:
        return self.ask("GET", address)


def second_city() -> None:
    """Counters of the other city, for a clerk who has nothing to do with the first."""
    for level, code in ELSEWHERE.items():
        if not Organisation.objects.filter(code=code).exists():
            add_organisation(
                installer(),
                code=code,
                name=f"三亚{level}",
                name_en=f"Sanya {level}",
                kind=level,
                region=code if level == "district" else "460200",
                parent="460200",
                valid_from=timezone.localdate(),
            )
    assert Organisation.objects.get(code="460200-01").path.endswith(path_label("460200-01"))
