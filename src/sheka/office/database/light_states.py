"""Migrating without rendering every model after every step.

While Django migrates it keeps all models of the moment as classes, and after each step renders anew whatever hangs
together with what changed. Every model of ours hangs together through its organisation, so that a new database took
14,000 renderings and most of a minute. Within `light_states` a step that adds to a model renders this model alone; a
step that changes or removes something that others refer to, and every RunPython, renders everything once. The schema
that comes out is the same: tests/office/operations/test_migrate.py compares it with that of Django's own command.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db.migrations.state import ProjectState


@contextmanager
def light_states() -> Iterator[None]:
    """Within, Django's states of migrations are rendered as sparingly as described above; for one thread."""
    kept = ProjectState.reload_model, ProjectState.add_model, ProjectState.add_field
    adding: list[bool] = []

    def reload_model(self: Any, app_label: str, model_name: str, delay: bool = False) -> None:
        if "apps" not in self.__dict__:
            return
        if adding or delay:
            self.is_delayed = True  # RunPython renders everything before it runs
            self._reload({(app_label, model_name)})
        else:
            del self.__dict__["apps"]  # rendered as a whole when it is asked for

    def add_model(self: Any, *args: Any) -> None:
        adding.append(True)
        try:
            kept[1](self, *args)
        finally:
            adding.pop()

    def add_field(self: Any, *args: Any) -> None:
        adding.append(True)
        try:
            kept[2](self, *args)
        finally:
            adding.pop()

    ProjectState.reload_model, ProjectState.add_model, ProjectState.add_field = reload_model, add_model, add_field
    try:
        yield
    finally:
        ProjectState.reload_model, ProjectState.add_model, ProjectState.add_field = kept
