"""Who may open a page: every view says it, and the middleware lets nobody through a view that does not.

The tests read the same marks: for every role, level and page they expect what the matrix of permissions says.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sheka.office.staff.permissions import Permission

View = TypeVar("View", bound=Callable[..., Any])
STRANGER: frozenset[Permission] | None = None


def opens(*any_of: Permission) -> Callable[[View], View]:
    """The page opens for whoever holds one of these permissions. Its verbs ask for their own on top."""
    if not any_of:
        raise ValueError("say which permission opens the page, or use open_to_staff")

    def mark(view: View) -> View:
        view.opens_for = frozenset(any_of)  # type: ignore[attr-defined]
        return view

    return mark


def open_to_staff(view: View) -> View:
    """Everybody who has signed in with two factors may open it: it shows only what is the reader's own."""
    view.opens_for = frozenset()  # type: ignore[attr-defined]
    return view


def open_to_all(view: View) -> View:
    """Strangers may open it: signing in, the verify page of a receipt, the language."""
    view.open_to_all = True  # type: ignore[attr-defined]
    return view


def at_the_door(view: View) -> View:
    """Open to strangers, and sees every organisation: whoever signs in is not known before. For nothing else."""
    view.at_the_door = True  # type: ignore[attr-defined]
    return open_to_all(view)


def polled(view: View) -> View:
    """Asked for by the page itself and not by its reader: it does not keep an idle session alive."""
    view.polled = True  # type: ignore[attr-defined]
    return view
