"""ETag, If-None-Match, If-Match (RFC 9110 §13): a read again costs nothing, a stale change is refused."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils.http import parse_etags

from sheka.foundation.crypto.sm3 import sm3
from sheka.foundation.refusals import Code, Refused


def tag_version(request: HttpRequest, version: object) -> None:
    """Say that the answer shows this version of a thing: its ETag is what If-Match of a change names."""
    request.version = version_tag(version)


def version_tag(version: object) -> str:
    """The strong ETag of a version.

    >>> version_tag(3)
    '"v3"'
    """
    return f'"v{version}"'


def must_be_version(request: HttpRequest, version: object) -> None:
    """When the request has If-Match, it names this version. Lock the row first. Raises Refused(API_VERSION)."""
    wanted = request.headers.get("If-Match")
    if wanted is not None and not {"*", version_tag(version)} & set(parse_etags(wanted)):
        raise Refused(Code.API_VERSION)


def with_tag(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """A successful read with its ETag (of its version, or else of its bytes), or 304 when the client has it already."""
    tag = getattr(request, "version", None) or f'"{sm3(response.content).hex()[:32]}"'
    held = request.headers.get("If-None-Match")
    if held is not None and {"*", tag} & {etag.removeprefix("W/") for etag in parse_etags(held)}:
        unchanged = HttpResponseNotModified()
        unchanged["ETag"] = tag
        return unchanged
    response["ETag"] = tag
    return response
