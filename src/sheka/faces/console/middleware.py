"""What happens to every request: second factor, the actor, refusals as pages."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from sheka.faces.console.telling import told
from sheka.faces.console.visits import STAFF_SESSION
from sheka.faces.console.words import language
from sheka.foundation.refusals import Code, Refused
from sheka.office.api.problems import MEDIA_TYPE, problem
from sheka.office.audit.refusals import record_refusal
from sheka.office.scope import acting_in, whole_node
from sheka.office.staff.permissions import Permission
from sheka.office.staff.queries import actor_of
from sheka.office.staff.sessions import seen, session_in_force

Response = Callable[[HttpRequest], HttpResponse]
PASSWORD_PAGE = "console:account_password"  # noqa: S105 - an address


class SignedIn:
    """Every page needs a person whose second factor was checked; `request.actor` says what this person may do now.

    What such a person reads is personal data: no cache keeps it.
    """

    def __init__(self, get_response: Response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with ExitStack() as request.in_scope:
            response = self.get_response(request)
        if hasattr(request, "actor"):
            response.headers.setdefault("Cache-Control", "no-store, private")
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """Turn a stranger to the sign-in page."""
        if getattr(view, "at_the_door", False):
            request.in_scope.enter_context(whole_node("whoever signs in is not known before"))
        if getattr(view, "open_to_all", False):
            return None
        with whole_node("who asks is not known before the session and its person are read"):
            user = request.user
            found = session_in_force(request.session.get(STAFF_SESSION), user.pk) if user.is_authenticated else None
            if found is None:
                return _to_the_door(request)
            if not getattr(view, "polled", False):
                seen(found)
            request.staff_session = found
            try:
                request.actor = actor_of(user, str(found.pk))
            except Refused:
                return _to_the_door(request)
        request.in_scope.enter_context(acting_in(request.actor.scope))
        if user.must_change_password and request.resolver_match.view_name != PASSWORD_PAGE:
            return redirect(PASSWORD_PAGE)
        opens_for = getattr(view, "opens_for", None)
        if opens_for is None:
            raise ImproperlyConfigured(f"{view} does not say who may open it (faces.console.doors)")
        if opens_for and not opens_for & request.actor.permissions:
            return refusal_page(request, Refused(Code.PERMISSION_MISSING, permission=" | ".join(sorted(opens_for))))
        return None


def _to_the_door(request: HttpRequest) -> HttpResponse:
    """A session that is over, or none: whatever the browser kept is forgotten."""
    if request.user.is_authenticated:
        logout(request)
    return redirect_to_login(request.get_full_path(), settings.LOGIN_URL)


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
        return refusal_page(request, error)


def refusal_page(request: HttpRequest, refusal: Refused) -> HttpResponse:
    """What was wrong, what to do, and the way back; for a script that asks for it, as problem+json. What matters to an
    auditor is recorded (ASVS 16.3.2).
    """
    if hasattr(request, "actor") and request.resolver_match is not None:
        record_refusal(request.actor, refusal, f"page:{request.resolver_match.view_name}")
    if request.headers.get("Accept") == MEDIA_TYPE:
        request.language = language()
        return problem(request, refusal)
    context = {"refusal": told(refusal), "back": _way_back(request)}
    return render(request, "console/refusal.html", context, status=refusal.http)


def _way_back(request: HttpRequest) -> str:
    """From a verb to its card, from a card to the cards, from elsewhere to the overview; never to what was refused."""
    match = request.resolver_match
    if match is not None and match.view_name == "console:card_verb":
        return reverse("console:card", args=[match.kwargs["number"]])
    if match is not None and match.view_name == "console:card" and request.actor.may(Permission.CARD_VIEW):
        return reverse("console:cards")
    return reverse("console:overview")
