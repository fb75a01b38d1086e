"""Clients of the API for the tests: a client with a token, and a caller that speaks as it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from django.http import HttpResponse
from django.test import Client as Browser
from django.utils import timezone

from sheka.office.clients.actions.make_client import make_client
from sheka.office.clients.policy import client_policy
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission

BASE = "/api/v1"


class Partner:
    """A client of an organisation that calls the API in this process."""

    def __init__(self, code: str, secret: str) -> None:
        self.code, self.secret = code, secret
        self.browser = Browser(raise_request_exception=False)
        self.token = ""

    def sign_in(self, scope: str = "") -> HttpResponse:
        """Get a token for the secret."""
        form = {"grant_type": "client_credentials", "client_id": self.code, "client_secret": self.secret}
        form |= {"scope": scope} if scope else {}
        answer = self.browser.generic("POST", f"{BASE}/token", urlencode(form), "application/x-www-form-urlencoded")
        if answer.status_code == 200:
            self.token = answer.json()["access_token"]
        return answer

    def get(self, path: str, /, **headers: str) -> HttpResponse:
        return self.browser.get(f"{BASE}{path}", headers=self._headers(headers))

    def post(self, path: str, body: Any, /, key: str | None = "", **headers: str) -> HttpResponse:
        """POST as JSON (or as it is, for bytes); `key` None: without an Idempotency-Key, "" a new one."""
        if key is not None:
            headers["Idempotency_Key"] = key or str(uuid4())
        kind = headers.pop("Content_Type", "application/json")
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.browser.generic("POST", f"{BASE}{path}", data, kind, headers=self._headers(headers))

    def _headers(self, more: dict[str, str]) -> dict[str, str]:
        said = {name.replace("_", "-"): value for name, value in more.items()}
        return {"Accept-Language": "en", **({"Authorization": f"Bearer {self.token}"} if self.token else {}), **said}


def partner_of(
    actor: Actor, place: str, scopes: Iterable[Permission] | None = None, *, a_minute: int = 6000
) -> Partner:
    """A new client of an organisation with these scopes (all that it may hold, for None), signed in."""
    allowed = client_policy().scopes(organisation(place).kind)
    made, secret = make_client(
        actor,
        organisation_code=place,
        name="测试客户端",
        scopes=allowed if scopes is None else scopes,
        valid_to=timezone.localdate() + timedelta(days=365),
        a_minute=a_minute,
    )
    partner = Partner(made.code, secret)
    assert partner.sign_in().status_code == 200
    return partner
