"""Refusals as problem+json (RFC 9457): number, sentence in the language asked for, what to do (design §2.3)."""

from __future__ import annotations

import json
import re
from typing import Any

from django.http import HttpRequest, HttpResponse

from sheka.foundation.refusals import Code, Refused, sentence
from sheka.foundation.terms import is_chinese

MEDIA_TYPE = "application/problem+json"
BASE = "/api/v1"
_OAUTH = {  # RFC 6749 §5.2, beside the problem: what libraries for OAuth look for
    Code.API_CLIENT_REFUSED: "invalid_client",
    Code.API_CLIENT_LOCKED: "temporarily_unavailable",
    Code.API_GRANT_TYPE: "unsupported_grant_type",
    Code.API_SCOPE: "invalid_scope",
}
_CHALLENGE = {  # RFC 6750 §3, RFC 7617
    Code.API_TOKEN_MISSING: 'Bearer realm="sheka"',
    Code.API_TOKEN_REFUSED: 'Bearer realm="sheka", error="invalid_token"',
    Code.API_CLIENT_REFUSED: 'Basic realm="sheka", charset="UTF-8"',
    Code.PERMISSION_MISSING: 'Bearer realm="sheka", error="insufficient_scope"',
}
_SECONDS = {Code.API_UNAVAILABLE: 5, Code.API_KEY_BUSY: 1}


def problem(request: HttpRequest, refusal: Refused, **more: Any) -> HttpResponse:
    """The answer that tells a refusal; `more` are further members."""
    request.refusal = refusal
    language = getattr(request, "language", "zh-hans")
    code, status = refusal.code, refusal.http
    body: dict[str, Any] = {
        "type": f"{BASE}/refusals/{refusal.number}",
        "title": title_of(code, language),
        "status": status,
        "detail": refusal.text(language),
        "instance": f"urn:sheka:request:{getattr(request, 'correlation', '')}",
        "code": refusal.number,
        "name": code.name,
        "todo": refusal.todo(language),
    } | more
    if code in _OAUTH:
        body["error"] = _OAUTH[code]
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    response = HttpResponse(text.encode("utf-8", "replace"), status=status, content_type=MEDIA_TYPE)
    if code in _CHALLENGE:
        response["WWW-Authenticate"] = _CHALLENGE[code]
    seconds = refusal.facts.get("seconds", _SECONDS.get(code))
    if code is Code.API_CLIENT_LOCKED:
        seconds = int(str(refusal.facts["minutes"])) * 60
    if seconds is not None:
        response["Retry-After"] = str(seconds)
    return response


def title_of(code: Code, language: str) -> str:
    """The sentence of a code with its facts left open."""
    found = sentence(code)
    return re.sub(r"\{\w+\}", "…", found.zh if is_chinese(language) else found.en)
