"""What every request of an operation goes through: token, limit, scope, type, size, parameters, key, conditions."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, wraps
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse

from sheka.foundation.crypto.sm3 import sm3
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.api.conditions import with_tag
from sheka.office.api.parsing import keepable
from sheka.office.api.problems import problem
from sheka.office.audit.refusals import record_refusal
from sheka.office.clients import limits, replies
from sheka.office.clients.tokens import caller_with
from sheka.office.scope import acting_in

if TYPE_CHECKING:
    from sheka.office.api.operations import Declared

Run = Callable[..., HttpResponse]
KEY = re.compile(r"[A-Za-z0-9-]{16,64}")
_KEPT_HEADERS = ("Content-Type", "ETag", "Location", "Content-Language")
_DECIDED = frozenset((404, 409, 412, 422))
"""Refusals that stay what they were when the request is sent again; all others were no decision."""


def through(declared: Declared, view: Callable[..., Any]) -> Callable[[Run], Run]:
    """Wrap the run of an operation."""

    def wrap(run: Run) -> Run:
        @wraps(run)
        def guarded(request: HttpRequest, **path: Any) -> HttpResponse:
            try:
                left = _let_in(request, declared)
                _must_be_sendable(request, declared, view)
            except Refused as refusal:
                return _noted(request, view, problem(request, refusal))
            with acting_in(request.actor.scope if declared.scope else ""):
                response = _answer(request, declared, run, path)
            if left is not None:
                response["RateLimit-Remaining"], response["RateLimit-Reset"] = map(str, left)
            return _noted(request, view, response)

        return guarded

    return wrap


def _noted(request: HttpRequest, view: Callable[..., Any], response: HttpResponse) -> HttpResponse:
    """A refusal that matters to an auditor is recorded when what was refused has been rolled back."""
    if hasattr(request, "refusal") and hasattr(request, "actor"):
        record_refusal(request.actor, request.refusal, f"api:{view.__name__}")
    return response


def _answer(request: HttpRequest, declared: Declared, run: Run, path: dict[str, Any]) -> HttpResponse:
    if declared.own_record:
        return _by_itself(request, run, path)
    if declared.changing:
        return _once(request, declared, run, path)
    response = run(request, **path)
    if request.method == "GET" and response.status_code == 200:
        response = with_tag(request, response)
    if hasattr(request, "links") and response.status_code in (200, 304):
        response["Link"] = request.links
    return response


def _let_in(request: HttpRequest, declared: Declared) -> tuple[int, int] | None:
    """Who calls, within the limits of this minute, with the scope of the operation."""
    if declared.scope is None:
        return None
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Refused(Code.API_TOKEN_MISSING)
    request.caller = caller_with(token.strip())
    request.actor = request.caller.actor
    with acting_in(request.actor.scope):
        left = limits.count_request(request.caller)
    request.actor.require(declared.scope)
    return left


def _must_be_sendable(request: HttpRequest, declared: Declared, view: Callable[..., Any]) -> None:
    """Type and size of the body, and no parameter that is not declared, twice, or cannot be kept."""
    if declared.media_types:
        got = request.content_type or "-"
        charset = request.content_params.get("charset", "utf-8") if request.content_params else "utf-8"
        if got not in declared.media_types or charset.lower() not in ("utf-8", "utf8"):
            expected = " | ".join(declared.media_types)
            raise Refused(Code.API_CONTENT_TYPE, expected=expected, got=request.headers.get("Content-Type", "-")[:80])
        announced = request.META.get("CONTENT_LENGTH") or "0"
        if not announced.isdigit() or int(announced) > declared.limit or len(request.body) > declared.limit:
            raise Refused(Code.API_TOO_LARGE, limit=declared.limit)
    if not keepable(request.path_info):
        raise Refused(Code.API_ADDRESS, address=request.path_info.encode("ascii", "replace").decode())
    known = parameters_of(view)
    for name, values in request.GET.lists():
        if name not in known:
            raise _parameter(name, "没有这个参数", "there is no such parameter")
        if len(values) > 1:
            raise _parameter(name, "给出了两次", "given twice")
        if not keepable(values[0]):
            raise _parameter(name, "含有不能保存的字符", "a character that cannot be kept")


@cache
def parameters_of(view: Callable[..., Any]) -> frozenset[str]:
    """The parameters of the query string that an operation declares."""
    models = view._ninja_operation.models  # type: ignore[attr-defined]
    return frozenset(
        name for model in models if model.__ninja_param_source__ == "query" for name in model.__ninja_flatten_map__
    )


def _once(request: HttpRequest, declared: Declared, run: Run, path: dict[str, Any]) -> HttpResponse:
    """Claim the key, do it and keep the answer in one transaction; a key known already gets its answer again."""
    key = request.headers.get("Idempotency-Key", "")
    if not KEY.fullmatch(key):
        return problem(request, Refused(Code.API_KEY_MISSING))
    with transaction.atomic():
        try:
            known = replies.claim(request.caller, key, _request_digest(request))
        except Refused as refusal:
            return problem(request, refusal)
        if known is not None:
            response = HttpResponse(known.body, status=known.status, headers=known.headers)
            response["Idempotency-Replayed"] = "true"
            return response
        response = _done(request, declared, run, path)
        if response.status_code == declared.status or _is_decided(request, response):
            headers = {name: response[name] for name in _KEPT_HEADERS if response.has_header(name)}
            replies.keep(request.caller, key, replies.Answer(response.status_code, headers, response.content))
        else:
            transaction.set_rollback(True)
    return response


def _by_itself(request: HttpRequest, run: Run, path: dict[str, Any]) -> HttpResponse:
    """The view knows what became of a key: what it does goes beyond this database, and no transaction spans it."""
    key = request.headers.get("Idempotency-Key", "")
    if not KEY.fullmatch(key):
        return problem(request, Refused(Code.API_KEY_MISSING))
    request.key, request.digest, request.replayed = key, _request_digest(request), False
    response = run(request, **path)
    response["Content-Language"] = request.language
    if request.replayed:
        response["Idempotency-Replayed"] = "true"
    return response


def _done(request: HttpRequest, declared: Declared, run: Run, path: dict[str, Any]) -> HttpResponse:
    """Do it; whatever is refused half-way leaves nothing."""
    with transaction.atomic():
        response = run(request, **path)
        if response.status_code != declared.status:
            transaction.set_rollback(True)
        elif hasattr(request, "version"):
            response["ETag"] = request.version
    response["Content-Language"] = request.language
    return response


def _is_decided(request: HttpRequest, response: HttpResponse) -> bool:
    """Whether an action or a query refused, and would not do otherwise if asked again at once."""
    return getattr(request, "decided", False) and response.status_code in _DECIDED


def _request_digest(request: HttpRequest) -> str:
    match = request.headers.get("If-Match", "")
    parts = (request.method or "", request.get_full_path(), request.content_type or "", match)
    return sm3("\n".join(parts).encode("utf-8", "surrogatepass") + b"\n" + request.body).hex()


def _parameter(name: str, zh: str, en: str) -> Refused:
    shown = name if keepable(name) else "?"
    return Refused(Code.API_PARAMETER, name=shown[:60], problem=Term(zh, en))
