"""The description of the API (OpenAPI 3.1): what ninja knows of the operations, and what our convention adds to each.

Every operation names every status that it can answer with, its refusals by number, its headers and its scope.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from ninja import NinjaAPI
from ninja.operation import Operation

from sheka.foundation.refusals import Code, sentence
from sheka.office.api.operations import Declared
from sheka.office.api.pipeline import KEY
from sheka.office.api.problems import BASE, MEDIA_TYPE, title_of
from sheka.office.api.shapes import Problem
from sheka.office.staff.permissions import Permission

ALWAYS = (Code.API_PARAMETER, Code.API_ADDRESS, Code.API_FIELD, Code.API_FAULT, Code.API_UNAVAILABLE)
WITH_TOKEN = (Code.API_TOKEN_MISSING, Code.API_TOKEN_REFUSED, Code.PERMISSION_MISSING, Code.API_RATE)
WITH_BODY = (Code.API_CONTENT_TYPE, Code.API_TOO_LARGE, Code.API_JSON)
CHANGING = (Code.API_KEY_MISSING, Code.API_KEY_REUSED, Code.API_KEY_BUSY)
ABOUT = """The programming interface of Sheka (社卡), an open social security card platform.

- A client of an organisation gets a token at `/token` and calls as that organisation: it sees and changes what the
  organisation may, within its scopes, and nothing else. It is no person and decides no approval.
- Every error is `application/problem+json` (RFC 9457) with the number of the refusal in `code`; `/refusals` has all.
  Sentences come in Chinese (zh-Hans) or English, as `Accept-Language` asks.
- Money is in fen, an integer. Times are UTC, RFC 3339. Days are days in China.
- A POST that changes something needs an `Idempotency-Key`: sent again, it is answered again and not done again.
- Lists come in pages by cursor. Reads carry an ETag; changes take `If-Match` where versions exist.
- A person's number never stands in an address: what is asked by it is asked by POST.
"""


def description(api: NinjaAPI) -> dict[str, Any]:
    """The whole description, ready to be sent."""
    found: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema(path_prefix="api/v1/"), default=str))
    found["info"] |= {
        "description": ABOUT,
        "version": "1.0",
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    }
    found["servers"] = [{"url": "/"}]
    components = found["components"]
    components["securitySchemes"] = {"client": _scheme()}
    components["parameters"] = _PARAMETERS
    components["headers"] = _HEADERS
    components["schemas"]["Problem"] = Problem.model_json_schema()
    for operation, path, method in operations_of(api):
        _complete(found["paths"][path][method], operation.view_func.declared)  # type: ignore[attr-defined]
    return found


def description_bytes(found: dict[str, Any]) -> bytes:
    """As it is sent."""
    return json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode()


def operations_of(api: NinjaAPI) -> Iterator[tuple[Operation, str, str]]:
    """Every operation, its path in the description, its method in lower case."""
    for bound in api._get_bound_routers():
        for path, view in bound.path_operations.items():
            for operation in view.operations:
                yield operation, f"{BASE}{re.sub(r'{[^}:]+:', '{', path)}", operation.methods[0].lower()


def refusals_of(declared: Declared) -> list[Code]:
    """Every refusal that an operation names, its own and those of the convention, by number."""
    codes = {*declared.refusals, *ALWAYS}
    if declared.scope is not None:
        codes |= {*WITH_TOKEN}
    if declared.media_types:
        codes |= {*WITH_BODY}
    if declared.changing:
        codes |= {*CHANGING}
    if declared.changing and declared.versioned:
        codes.add(Code.API_VERSION)
    return sorted(codes, key=lambda code: code.value)


def _complete(details: dict[str, Any], declared: Declared) -> None:
    by_status: dict[int, list[Code]] = {405: [Code.API_METHOD]}
    for code in refusals_of(declared):
        by_status.setdefault(sentence(code).http, []).append(code)
    details["responses"] |= {str(status): _problem(codes) for status, codes in sorted(by_status.items())}
    good = details["responses"][str(declared.status)]
    good["headers"] = {"X-Correlation-Id": {"$ref": "#/components/headers/X-Correlation-Id"}}
    names = ["Accept-Language", "X-Correlation-Id"]
    reading = not declared.changing and not declared.media_types
    if reading:
        names.append("If-None-Match")
        good["headers"]["ETag"] = {"$ref": "#/components/headers/ETag"}
        details["responses"]["304"] = {"description": HTTPStatus(304).phrase}
    if declared.media_types and "requestBody" not in details:
        raw = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in declared.media_types}
        details["requestBody"] = {"required": True, "content": raw}
    if declared.changing:
        names += ["Idempotency-Key", *(["If-Match"] if declared.versioned else [])]
    details.setdefault("parameters", [])
    details["parameters"] += [{"$ref": f"#/components/parameters/{name}"} for name in names]
    if declared.scope is not None:
        details["security"] = [{"client": [declared.scope.value]}]
        good["headers"]["RateLimit-Remaining"] = {"$ref": "#/components/headers/RateLimit-Remaining"}
    else:
        details["security"] = []


def _problem(codes: list[Code]) -> dict[str, Any]:
    lines = [f"- {code.value} {code.name}: {title_of(code, 'en')}" for code in codes]
    status = sentence(codes[0]).http
    return {
        "description": f"{HTTPStatus(status).phrase}\n\n" + "\n".join(lines),
        "headers": {"X-Correlation-Id": {"$ref": "#/components/headers/X-Correlation-Id"}},
        "content": {
            MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "example": _example(codes[0], status)}
        },
    }


def _example(code: Code, status: int) -> dict[str, Any]:
    return {
        "type": f"{BASE}/refusals/{code.value}",
        "title": title_of(code, "en"),
        "status": status,
        "detail": title_of(code, "en"),
        "instance": "urn:sheka:request:7b0c1a52-4a5e-4a7e-9d6f-2f6f0f0b1c11",
        "code": code.value,
        "name": code.name,
        "todo": sentence(code).en_do,
    }


def _scheme() -> dict[str, Any]:
    scopes = {permission.value: permission.name.replace("_", " ").capitalize() for permission in Permission}
    return {
        "type": "oauth2",
        "description": "Client credentials: a secret for a short token (RFC 6749 §4.4).",
        "flows": {"clientCredentials": {"tokenUrl": f"{BASE}/token", "scopes": scopes}},
    }


def _header(name: str, about: str, **schema: Any) -> dict[str, Any]:
    required = schema.pop("required", False)
    return {
        "in": "header",
        "name": name,
        "required": required,
        "description": about,
        "schema": {"type": "string"} | schema,
    }


_PARAMETERS = {
    "Accept-Language": _header("Accept-Language", "zh-Hans (default) or en.", examples=["zh-Hans", "en"]),
    "X-Correlation-Id": _header(
        "X-Correlation-Id", "Your own id of this request; it comes back and is logged. Another form gets a new id."
    ),
    "If-None-Match": _header("If-None-Match", "The ETag that you have: 304 when it is still so."),
    "If-Match": _header("If-Match", "The ETag that you read: 412 when it has changed since.", examples=['"v3"']),
    "Idempotency-Key": _header(
        "Idempotency-Key", "A new key for each thing to do.", required=True, pattern=f"^{KEY.pattern}$"
    ),
}
_HEADERS = {
    "X-Correlation-Id": {"description": "The id of this request.", "schema": {"type": "string"}},
    "ETag": {"description": "Its version.", "schema": {"type": "string"}},
    "RateLimit-Remaining": {"description": "Requests left in this minute.", "schema": {"type": "string"}},
}
