"""The API assembled: the routers that the apps declare in their `api.py`, and every error as a problem."""

from __future__ import annotations

import logging
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.apps import apps
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.renderers import JSONRenderer

from sheka.faces.api.reference import router as reference
from sheka.faces.api.token import router as token
from sheka.foundation.refusals import Code, Refused
from sheka.office.api.parsing import StrictParser
from sheka.office.api.problems import problem

LOG = logging.getLogger("sheka.api")
MOST_FAULTS = 20


class Renderer(JSONRenderer):
    """Chinese as it is, no white space."""

    json_dumps_params = {"ensure_ascii": False, "separators": (",", ":")}  # noqa: RUF012 - ninja's own attribute


def assembled() -> NinjaAPI:
    """A new instance with every router: the API's own, and `router` of each app's module `api`."""
    made = NinjaAPI(
        title="Sheka 社卡",
        version="1",
        urls_namespace="api-v1",
        openapi_url=None,
        docs_url=None,
        parser=StrictParser(),
        renderer=Renderer(),
    )
    for name, router in (("token", token), ("reference", reference)):
        made.add_router("", router, tags=[name])
    for config in apps.get_app_configs():
        module = f"{config.name}.api"
        if config.name.startswith("sheka.") and find_spec(module):
            made.add_router("", import_module(module).router, tags=[config.label])
    made.add_exception_handler(Refused, refused)
    made.add_exception_handler(ValidationError, invalid)
    made.add_exception_handler(HttpError, unreadable)
    made.add_exception_handler(OperationalError, unavailable)
    made.add_exception_handler(InterfaceError, unavailable)
    made.add_exception_handler(Exception, fault)
    return made


def refused(request: HttpRequest, refusal: Refused) -> HttpResponse:
    """A refusal of an action or a query: it was decided, and stays so for this Idempotency-Key."""
    if refusal.code not in (Code.API_JSON, Code.API_FIELD):
        request.decided = True
    return problem(request, refusal)


def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Values that are not what the operation declares, each with where it stands; never the value itself."""
    faults = [
        {"where": _pointer(fault["loc"]), "problem": str(fault["msg"])[:200], "rule": str(fault["type"])}
        for fault in error.errors[:MOST_FAULTS]
    ]
    first = faults[0]
    refusal = Refused(Code.API_FIELD, count=len(error.errors), where=first["where"], problem=first["problem"])
    return problem(request, refusal, errors=faults)


def unreadable(request: HttpRequest, error: HttpError) -> HttpResponse:
    """Ninja could not read the body: what our parser refused comes as its cause."""
    cause = error.__context__
    return problem(
        request, cause if isinstance(cause, Refused) else Refused(Code.API_JSON, problem=type(cause).__name__)
    )


def unavailable(request: HttpRequest, error: Exception) -> HttpResponse:
    """The database is away, or gave up a lock: the same request may be sent again."""
    LOG.error("request %s: %s", getattr(request, "correlation", "-"), type(error).__name__, exc_info=error)
    return problem(request, Refused(Code.API_UNAVAILABLE))


def fault(request: HttpRequest, error: Exception) -> HttpResponse:
    """What was not foreseen: the log has it, the client its number."""
    LOG.error("request %s failed", getattr(request, "correlation", "-"), exc_info=error)
    return problem(request, Refused(Code.API_FAULT))


def _pointer(location: tuple[Any, ...]) -> str:
    """Where a value stands: its source, then its path in it (`body/card_number`)."""
    source, *path = map(str, location)
    return "/".join([source, *path[1:]] if source == "body" and len(path) > 1 else [source, *path])[:200]
