"""Addresses under /api/: the operations, their description, and a problem for everything else."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import URLPattern, path, re_path

from sheka.faces.api.api import assembled
from sheka.faces.api.door import nowhere, through_door
from sheka.faces.api.openapi import description, description_bytes
from sheka.office.api.conditions import with_tag

api = assembled()


@cache
def described() -> dict[str, Any]:
    """The OpenAPI description of the API."""
    return description(api)


def openapi(request: HttpRequest) -> HttpResponse:
    """The description, for everybody: it says nothing that a partner's manual would not."""
    if request.method != "GET":
        return HttpResponseNotAllowed(["GET"])
    return with_tag(request, HttpResponse(description_bytes(described()), content_type="application/json"))


def _operations() -> list[URLPattern]:
    """Each address once, plain ones before those with a parameter (`cards/state` before `cards/<number>`)."""
    found = {str(p.pattern): p for bound in api._get_bound_routers() for p in bound.urls_paths(bound.prefix)}
    patterns = sorted(found.values(), key=lambda pattern: str(pattern.pattern).count("<"))
    for pattern in patterns:
        pattern.callback = through_door(pattern.callback)
    return patterns


app_name = "api"
urlpatterns = [
    *(path(f"v1/{pattern.pattern}", pattern.callback, name=pattern.name) for pattern in _operations()),
    path("v1/openapi.json", through_door(openapi), name="openapi"),
    re_path(r"^(?P<rest>(?s:.*))$", through_door(nowhere), name="nowhere"),
]
