"""The console's town inside this test process: Django's database becomes a copy of it for a module."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.support.console_world import TOWN, town_template
from tests.support.world import World, copier


@pytest.fixture(scope="module")
def town_here(django_db_setup: None, django_db_blocker: Any) -> Iterator[dict[str, Any]]:
    """The facts of the town; what a test commits stays until the end of its module."""
    from django.conf import settings
    from django.db import connection, connections

    from sheka.office.scope import whole_node

    world, name = World(), settings.DATABASES["default"]["NAME"]
    facts = town_template(world)
    connections.close_all()
    world.copy(name, TOWN)
    with django_db_blocker.unblock(), whole_node("a test stands outside of every organisation"):
        kept = connection.settings_dict["CONN_MAX_AGE"]
        connection.settings_dict["CONN_MAX_AGE"] = None  # a request of these tests does not connect anew
        yield facts
        connection.settings_dict["CONN_MAX_AGE"] = kept
        connections.close_all()
    copier(world, name)()
