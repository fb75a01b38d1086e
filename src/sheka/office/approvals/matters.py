"""Matters: what a system declares so that its requests are decided, shown and carried out by the one engine.

A system registers its matters in a module `matters.py`; the steps stand in policy/approvals.toml.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term, is_chinese
from sheka.office.staff.permissions import Permission

if TYPE_CHECKING:
    from sheka.office.approvals.models import Proposal
    from sheka.office.staff.actors import Actor

Payload = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """One value of a payload as a reader sees it. `path` joins the keys by dots; `show` writes the value.

    `long` is for whole paragraphs, `code` for digests and numbers that are compared sign by sign. A field with
    `edit=True` can be changed when the request is completed.
    """

    path: str
    title: Term
    show: Callable[[Any], Term | str] | None = None
    code: bool = False
    long: bool = False
    edit: bool = False

    def value_in(self, payload: Payload) -> Any:
        """The raw value, None where the payload has none."""
        found: Any = payload
        for key in self.path.split("."):
            found = found.get(key) if isinstance(found, dict) else None
        return found


@dataclass(frozen=True, slots=True)
class Matter:
    """A kind of request.

    `proposes` is the permission to make, complete and withdraw it, `views` the one to read it. `check` refuses a
    payload that cannot be put before anybody; `summary` tells requests apart in a list. `carry_out` runs in the
    transaction of the last approval and returns what came of it (plain JSON); without it the request stays approved
    until the system calls `carry_out` itself. `note` runs at every other organisation that holds a copy when the
    request has ended, whatever the end.
    """

    kind: str
    title: Term
    proposes: Permission
    views: Permission
    fields: tuple[Field, ...]
    check: Callable[[Actor, Payload], None] | None = None
    summary: Callable[[Payload], Term] | None = None
    carry_out: Callable[[Actor, Proposal], Payload] | None = None
    note: Callable[[Actor, Proposal], None] | None = None

    @property
    def editable(self) -> bool:
        """Whether there is anything to complete."""
        return any(field.edit for field in self.fields)

    def told_apart(self, payload: Payload, language: str) -> str:
        """The request in a few words; its title where the system says nothing more."""
        return (self.summary(payload) if self.summary else self.title).text(language)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a request as it is read: its label, its value, and what stood there in the version before."""

    label: str
    value: str
    before: str | None
    code: bool
    long: bool


_matters: dict[str, Matter] = {}


def register(matter: Matter) -> Matter:
    """Make a kind of request known to the engine."""
    if matter.kind in _matters and _matters[matter.kind] is not matter:
        raise ValueError(f"{matter.kind} is a matter already")
    _matters[matter.kind] = matter
    return matter


def matters() -> Iterable[Matter]:
    return _matters.values()


def matter_of(kind: str) -> Matter:
    """Raises Refused(APPROVAL_UNKNOWN_KIND)."""
    try:
        return _matters[kind]
    except KeyError:
        raise Refused(Code.APPROVAL_UNKNOWN_KIND, kind=kind) from None


def read_lines(matter: Matter, payload: Payload, before: Payload | None, language: str) -> list[Line]:
    """Everything in the payload: declared fields in their order, then whatever was not declared, under its own name."""
    declared = {field.path for field in matter.fields}
    others = [Field(path, Term(path, path), code=True) for path in _paths(payload) if path not in declared]
    lines = []
    for field in (*matter.fields, *others):
        value = _shown(field, payload, language)
        old = None if before is None else _shown(field, before, language)
        lines.append(Line(field.title.text(language), value, None if old == value else old, field.code, field.long))
    return lines


def with_changes(matter: Matter, payload: Payload, changes: dict[str, Any]) -> Payload:
    """A new payload with other values for the fields that may be edited. Raises Refused(APPROVAL_NOT_EDITABLE)."""
    allowed = {field.path for field in matter.fields if field.edit}
    for path in changes:
        if path not in allowed:
            raise Refused(Code.APPROVAL_NOT_EDITABLE, field=path)
    made = payload
    for path, value in changes.items():
        made = _replaced(made, path.split("."), value)
    return made


def _replaced(payload: Payload, keys: list[str], value: Any) -> Payload:
    first, *rest = keys
    return {**payload, first: _replaced(payload[first], rest, value) if rest else value}


def _paths(payload: Payload, prefix: str = "") -> list[str]:
    found = []
    for key, value in payload.items():
        path = f"{prefix}{key}"
        found += _paths(value, f"{path}.") if isinstance(value, dict) else [path]
    return found


def _shown(field: Field, payload: Payload, language: str) -> str:
    value = field.value_in(payload)
    if value is None:
        return "—"
    shown = field.show(value) if field.show else value
    if isinstance(shown, Term):
        return shown.text(language)
    if isinstance(shown, list):
        return ("、" if is_chinese(language) else ", ").join(str(item) for item in shown)
    return str(shown)
