"""The door of the API: language, correlation id, headers, the log, and a problem where Django would show a page.

No cookie is read here: a session of the console opens nothing, so there is nothing to forge across sites.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.translation.trans_real import parse_accept_lang_header

from sheka.faces.api.api import fault, unavailable
from sheka.faces.console.doors import open_to_all
from sheka.foundation.refusals import Code, Refused
from sheka.office.api.problems import problem

View = Callable[..., HttpResponse]
LOG = logging.getLogger("sheka.api")
CORRELATION = re.compile(r"[A-Za-z0-9._-]{8,64}")
LANGUAGES = {"zh": "zh-Hans", "en": "en"}


def through_door(view: View) -> View:
    """A view of the API as Django calls it."""

    def door(request: HttpRequest, **path: Any) -> HttpResponse:
        began = time.perf_counter()
        request.correlation = _correlation(request)
        request.language = _language(request)
        with translation.override(request.language.lower()):
            response = _safely(view, request, path)
            if response.status_code == 405 and not response.headers["Content-Type"].startswith("application/problem"):
                response = _method(request, response)
        _dress(request, response)
        caller = getattr(request, "caller", None)
        LOG.info(
            "%s %s %s %d %.0f ms client=%s",
            request.correlation,
            request.method if (request.method or "").isalpha() else "?",
            request.path_info.encode("ascii", "backslashreplace").decode().replace("\n", "?").replace("\r", "?"),
            response.status_code,
            (time.perf_counter() - began) * 1000,
            caller.code if caller else "-",
        )
        return response

    door.csrf_exempt = True  # type: ignore[attr-defined]
    door.behind = view  # type: ignore[attr-defined]
    return open_to_all(door)


def nowhere(request: HttpRequest, rest: str = "") -> HttpResponse:
    """An address that the API does not have."""
    shown = f"/api/{rest}".encode("ascii", "backslashreplace").decode()[:200]
    return problem(request, Refused(Code.API_ADDRESS, address=shown))


def _safely(view: View, request: HttpRequest, path: dict[str, Any]) -> HttpResponse:
    asked = request.method
    try:
        if asked == "HEAD":  # the server sends no body; the rest is that of GET
            request.method = "GET"
        return view(request, **path)
    except (OperationalError, InterfaceError) as error:
        return unavailable(request, error)
    except Exception as error:
        return fault(request, error)
    finally:
        request.method = asked


def _method(request: HttpRequest, refused: HttpResponse) -> HttpResponse:
    """405 as a problem, with the methods that are taken."""
    method = request.method or ""
    answer = problem(request, Refused(Code.API_METHOD, method=method if method.isalpha() else "?"))
    answer["Allow"] = refused["Allow"]
    return answer


def _dress(request: HttpRequest, response: HttpResponse) -> None:
    response["X-Correlation-Id"] = request.correlation
    response.headers.setdefault("Content-Language", request.language)
    response["Vary"] = "Accept-Language, Authorization"
    response.headers.setdefault("Cache-Control", "no-store" if response.status_code >= 400 else "private, no-cache")


def _correlation(request: HttpRequest) -> str:
    """The caller's own id when it is a plain one, else a new one."""
    given = request.headers.get("X-Correlation-Id", "")
    return given if CORRELATION.fullmatch(given) else str(uuid4())


def _language(request: HttpRequest) -> str:
    """The first language of Accept-Language that the house speaks; Chinese when none is asked for."""
    for tag, _ in parse_accept_lang_header(request.headers.get("Accept-Language", "")[:200].lower()):
        found = LANGUAGES.get(tag.split("-")[0])
        if found:
            return found
    return LANGUAGES["zh"]
