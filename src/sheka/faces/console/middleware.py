"""What happens to every request: content policy, second factor, the actor, refusals as pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from sheka.faces.console.telling import told
from sheka.foundation.refusals import Refused
from sheka.office.staff.permissions import Permission
from sheka.office.staff.queries import actor_of

Response = Callable[[HttpRequest], HttpResponse]
POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)


def content_security_policy(get_response: Response) -> Response:
    """No inline style or script, nothing from elsewhere."""

    def policy(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        return response

    return policy


class SignedIn:
    """Every page needs a person whose second factor was checked; `request.actor` says what this person may do now.

    What such a person reads is personal data: no cache keeps it.
    """

    def __init__(self, get_response: Response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if hasattr(request, "actor"):
            response.headers.setdefault("Cache-Control", "no-store, private")
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """Turn a stranger to the sign-in page."""
        if getattr(view, "open_to_all", False):
            return None
        user = request.user
        if not user.is_authenticated or not user.is_verified():
            return redirect_to_login(request.get_full_path(), settings.LOGIN_URL)
        try:
            request.actor = actor_of(user)
        except Refused:
            logout(request)
            return redirect_to_login(request.get_full_path(), settings.LOGIN_URL)
        return None


class RefusalsAsPages:
    """A refusal becomes a page that says what was wrong and what to do; nothing else reaches a user as an error."""

    def __init__(self, get_response: Response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Render a Refused; leave everything else to Django."""
        if not isinstance(error, Refused):
            return None
        context = {"refusal": told(error), "back": _way_back(request)}
        return render(request, "console/refusal.html", context, status=error.http)


def _way_back(request: HttpRequest) -> str:
    """From a verb to its card, from a card to the cards, from elsewhere to the overview; never to what was refused."""
    match = request.resolver_match
    if match is not None and match.view_name == "console:card_verb":
        return reverse("console:card", args=[match.kwargs["number"]])
    if match is not None and match.view_name == "console:card" and request.actor.may(Permission.CARD_VIEW):
        return reverse("console:cards")
    return reverse("console:overview")
