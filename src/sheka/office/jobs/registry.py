"""What jobs there are: each system declares its own in its module `jobs` (found when the node starts).

@job("cards.export", title_zh="导出卡片", title_en="Export of cards", permission=Permission.CARD_VIEW)
def export(actor, progress, *, state): ...

@periodic("approvals.expiry", cron="*/10 * * * *")
def expire(): ...
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import InterfaceError, OperationalError

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import is_chinese
from sheka.office.staff.permissions import Permission

Body = Callable[..., dict[str, Any] | None]
Fault = type[Exception] | Code
ATTEMPTS = 3
BACK_OFF_SECONDS = 5.0
LONGEST_BACK_OFF = 600.0
_jobs: dict[str, JobKind] = {}
_periodic: dict[str, Periodic] = {}


@dataclass(frozen=True)
class JobKind:
    """A job as it was declared."""

    name: str
    title_zh: str
    title_en: str
    permission: Permission
    run: Body
    attempts: int
    back_off: float
    transient: tuple[Fault, ...]
    whole: bool

    def may_pass(self, error: Exception) -> bool:
        """Whether this error was declared as one that passes by itself."""
        return any(
            isinstance(error, Refused) and error.code is fault if isinstance(fault, Code) else isinstance(error, fault)
            for fault in self.transient
        )

    def pause(self, attempt: int) -> float:
        """Seconds to wait after this attempt: four times as long each time, at most ten minutes."""
        return min(LONGEST_BACK_OFF, self.back_off * 4 ** (attempt - 1))


@dataclass(frozen=True)
class Periodic:
    """A turn that the node takes by the clock. `cron` is read in UTC."""

    name: str
    cron: str
    run: Callable[[], None]


def job(
    name: str,
    *,
    title_zh: str,
    title_en: str,
    permission: Permission,
    attempts: int = ATTEMPTS,
    back_off: float = BACK_OFF_SECONDS,
    transient: tuple[Fault, ...] = (),
    whole: bool = True,
) -> Callable[[Body], Body]:
    """Declare `def run(actor, progress, **args) -> dict | None`; what it returns is the result that the page shows.

    `whole`: the body and the end of the run are one transaction, so a crash, a refusal or a cancel leaves nothing
    half done. An audit row holds the chain until that transaction ends: a job that writes rows early and runs long
    says `whole=False`, works in steps of actions, and finds at a second run what the first one did.
    `transient`: exception classes or refusal codes after which it is tried again, `attempts` starts at most. A lost
    database connection and a deadlock always are.
    """

    def register(body: Body) -> Body:
        known = _jobs.get(name)
        if known is not None and known.run.__qualname__ != body.__qualname__:
            raise ValueError(f"{name} is a job already")
        _jobs[name] = JobKind(
            name,
            title_zh,
            title_en,
            permission,
            body,
            attempts,
            back_off,
            (OperationalError, InterfaceError, *transient),
            whole,
        )
        return body

    return register


def periodic(name: str, *, cron: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Declare a turn of the node: one at a time over all its workers, with every organisation of the node in scope.

    A turn that fails is told on the page of the system's health and taken again at its next time.
    """

    def register(turn: Callable[[], None]) -> Callable[[], None]:
        if name in _periodic:
            raise ValueError(f"{name} is a periodic job already")
        _periodic[name] = Periodic(name, cron, turn)
        return turn

    return register


def kind_of(name: str) -> JobKind:
    """Raises Refused(JOB_UNKNOWN)."""
    try:
        return _jobs[name]
    except KeyError:
        raise Refused(Code.JOB_UNKNOWN, job=name) from None


def kinds() -> dict[str, JobKind]:
    return dict(_jobs)


def title_of(name: str, language: str) -> str:
    """What a job is called in this language; the name of one that this node does not know."""
    known = _jobs.get(name)
    if known is None:
        return name
    return known.title_zh if is_chinese(language) else known.title_en


def turns() -> dict[str, Periodic]:
    """The periodic jobs of the node."""
    return dict(_periodic)
