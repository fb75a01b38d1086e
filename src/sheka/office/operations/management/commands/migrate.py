"""`django migrate`, as Django has it, in a fifth of the time."""

from __future__ import annotations

from typing import Any

from django.core.management.commands import migrate

from sheka.office.database.light_states import light_states


class Command(migrate.Command):
    """Django's own command within `light_states`."""

    def handle(self, *args: Any, **options: Any) -> None:
        with light_states():
            super().handle(*args, **options)
