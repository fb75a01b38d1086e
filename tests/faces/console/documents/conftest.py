"""Chromium with a camera that may be used; for some tests with one that may not, or with none."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright
from tests.support.pages import ARGUMENTS

FAKE = "--use-fake-device-for-media-stream"
ALLOWED = "--use-fake-ui-for-media-stream"


@pytest.fixture(scope="module")
def browsers() -> Iterator[Callable[..., Browser]]:
    """browsers(*more arguments) → a Chromium started with them, one for each set."""
    started: dict[tuple[str, ...], Browser] = {}
    with sync_playwright() as playwright:

        def start(*more: str) -> Browser:
            if more not in started:
                path = shutil.which("chromium")
                started[more] = playwright.chromium.launch(executable_path=path, args=[*ARGUMENTS, *more])
            return started[more]

        yield start
        for browser in started.values():
            browser.close()


@pytest.fixture(scope="module")
def chromium(browsers: Callable[..., Browser]) -> Browser:
    """The browser of these tests has a camera, and leave to use it."""
    return browsers(FAKE, ALLOWED)
