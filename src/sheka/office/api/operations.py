"""Declaring an operation: what it needs, what it answers, which refusals can come of it.

`reads` is a GET; `asks` a POST that only reads, because what is asked for must not stand in an address; `changes` a
POST that calls an action and needs an Idempotency-Key.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.http import HttpRequest
from ninja import Router as NinjaRouter
from ninja.decorators import decorate_view

from sheka.foundation.refusals import Code
from sheka.office.api.pipeline import through
from sheka.office.clients.tokens import Caller
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission

View = TypeVar("View", bound=Callable[..., Any])
JSON_LIMIT = 64 * 2**10


class Request(HttpRequest):
    """A request of a client: who sent it, the language asked for, its correlation id."""

    caller: Caller
    actor: Actor
    language: str
    correlation: str
    links: str
    version: str
    key: str
    digest: str
    replayed: bool


@dataclass(frozen=True, slots=True)
class Declared:
    """What an operation said of itself. `scope` None: open to strangers. `own_record`: what it does leaves the node, so
    it keeps what came of an Idempotency-Key itself, before and after.
    """

    scope: Permission | None
    refusals: tuple[Code, ...] = ()
    changing: bool = False
    media_types: tuple[str, ...] = ()
    limit: int = JSON_LIMIT
    versioned: bool = False
    status: int = 200
    own_record: bool = False
    parameters: frozenset[str] = field(default_factory=frozenset)


class Router(NinjaRouter):
    """A router of one topic; `tags` names it in the description."""


def reads(
    router: Router,
    path: str,
    *,
    scope: Permission | None,
    answer: Any,
    refusals: tuple[Code, ...] = (),
    versioned: bool = False,
) -> Callable[[View], View]:
    """A GET. `versioned`: its ETag is the version of what it shows (`tag_version`)."""
    return _operation(router, "GET", path, answer, Declared(scope, refusals, versioned=versioned))


def asks(
    router: Router, path: str, *, scope: Permission, answer: Any, refusals: tuple[Code, ...] = ()
) -> Callable[[View], View]:
    """A POST that reads: what is asked for is personal, or too long for an address."""
    return _operation(router, "POST", path, answer, Declared(scope, refusals, media_types=("application/json",)))


def changes(
    router: Router,
    path: str,
    *,
    scope: Permission,
    answer: Any,
    refusals: tuple[Code, ...] = (),
    versioned: bool = False,
    media_types: tuple[str, ...] = ("application/json",),
    limit: int = JSON_LIMIT,
    own_record: bool = False,
) -> Callable[[View], View]:
    """A POST that changes something, once for each Idempotency-Key. `versioned`: it takes If-Match. `own_record`: the
    view finds the key and the digest of the request in `request.key` and `request.digest`, keeps what came of it, and
    says so in `request.replayed`; nothing around it is one transaction.
    """
    declared = Declared(
        scope,
        refusals,
        changing=True,
        versioned=versioned,
        media_types=media_types,
        limit=limit,
        status=201,
        own_record=own_record,
    )
    return _operation(router, "POST", path, answer, declared)


def _operation(router: Router, method: str, path: str, answer: Any, declared: Declared) -> Callable[[View], View]:
    def wrap(view: View) -> View:
        name = view.__name__
        first, *rest = name.split("_")
        view.declared = declared  # type: ignore[attr-defined]
        decorate_view(through(declared, view))(view)
        router.add_api_operation(
            path,
            [method],
            view,
            response={declared.status: answer},
            operation_id=first + "".join(map(str.capitalize, rest)),
            summary=(view.__doc__ or name).strip().splitlines()[0].rstrip("."),
        )
        return view

    return wrap
