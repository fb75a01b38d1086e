"""Fixtures of the console's tests: a town with its web process, Chromium, and somebody who surfs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright
from tests.support.console_world import Town, Web
from tests.support.organisations import installer, tree  # noqa: F401 - fixtures
from tests.support.pages import ARGUMENTS, Surfer
from tests.support.world import World

from sheka.equipment.server.postgres import PostgresCluster

expect.set_options(timeout=15_000)  # the machine may be busy with other tests


@pytest.fixture(scope="session")
def town(test_cluster: PostgresCluster) -> Iterator[Town]:
    """The console of a small town, served by a real web process on a database of its own."""
    web = Web(World())
    yield web.town
    web.stop()


@pytest.fixture(scope="session")
def cards(town: Town) -> dict[str, dict[str, str]]:
    """The town's cards by what became of them: number, name of the holder, person number."""
    found: dict[str, dict[str, str]] = town.facts["cards"]
    return found


@pytest.fixture(scope="session")
def sessions() -> dict[str, Any]:
    """Who is signed in already, by log-in name: a one-time code counts once in thirty seconds."""
    return {}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, without its windows where that is installed: a quarter less to do. A module long, because
    Playwright's event loop would be in the way of other tests' own.
    """
    path = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    assert path, "chromium is needed: make setup-tests"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def surfer(chromium: Browser, town: Town, sessions: dict[str, Any]) -> Surfer:
    """Somebody at the browser, for the tests of a module."""
    return Surfer(chromium, town, sessions)


@pytest.fixture
def surf(surfer: Surfer) -> Iterator[Surfer]:
    """Pages in the browser. A complaint of the browser (policy, script, missing file) fails the test at its end."""
    yield surfer
    surfer.rest()
