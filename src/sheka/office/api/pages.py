"""Lists in pages: an opaque cursor that says after which row to go on, so that new rows shift nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from django.core.signing import BadSignature, Signer
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from pydantic import Field

from sheka.foundation.refusals import Code, Refused
from sheka.office.api.shapes import Shape

T = TypeVar("T")
Row = TypeVar("Row", bound=Model)
MOST = 200


class PageQuery(Shape):
    """Which page of a list."""

    limit: int = Field(50, ge=1, le=MOST, description="How many items at most.")
    cursor: str = Field("", max_length=600, description="`next` of the page before; empty for the first page.")


class Listed(Shape, Generic[T]):
    """One page of a list. The same addresses are in the header Link (rel first, next)."""

    items: list[T]
    next: str | None = Field(description="The cursor of the next page, null on the last.")


def page_of(
    request: HttpRequest, rows: QuerySet[Row], page: PageQuery, by: tuple[str, ...], shape: Callable[[Row], T]
) -> dict[str, Any]:
    """The page that `page` asks for, ordered by the fields `by` ("-name" for falling); the last of them is unique and
    none is null. Raises Refused(API_CURSOR).
    """
    signer = Signer(salt=f"cursor:{request.path}")
    if page.cursor:
        rows = rows.filter(_after(by, _opened(signer, page.cursor, len(by))))
    found = list(rows.order_by(*by)[: page.limit + 1])
    items, more = found[: page.limit], len(found) > page.limit
    following = signer.sign_object([_plain(getattr(items[-1], name.lstrip("-"))) for name in by]) if more else None
    rest = {name: value for name, value in request.GET.items() if name != "cursor"}
    links = [f'<{_address(request, rest)}>; rel="first"']
    if following:
        links.append(f'<{_address(request, rest | {"cursor": following})}>; rel="next"')
    request.links = ", ".join(links)
    return {"items": [shape(row) for row in items], "next": following}


def _address(request: HttpRequest, query: dict[str, str]) -> str:
    return f"{request.path}?{urlencode(query)}" if query else request.path


def _after(by: tuple[str, ...], values: list[Any]) -> Q:
    """Rows that come after the row with these values: (a > x) or (a = x and b > y) … The first column is bounded by
    itself as well, since an index, or the partitions by it, are of no use to an "or".
    """
    found, same = Q(), Q()
    for name, value in zip(by, values, strict=True):
        field, falling = name.lstrip("-"), name.startswith("-")
        found |= same & Q(**{f"{field}__{'lt' if falling else 'gt'}": value})
        same &= Q(**{field: value})
    first = by[0].lstrip("-")
    return Q(**{f"{first}__{'lte' if by[0].startswith('-') else 'gte'}": values[0]}) & found


def _opened(signer: Signer, cursor: str, length: int) -> list[Any]:
    try:
        values = signer.unsign_object(cursor)
    except (BadSignature, ValueError):
        raise Refused(Code.API_CURSOR) from None
    if not isinstance(values, list) or len(values) != length:
        raise Refused(Code.API_CURSOR)
    return values


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | datetime) else json.loads(json.dumps(value, default=str))
