"""Fixtures of the account's tests: a virtual authenticator of Chromium, and the town's database."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Page
from tests.support.console_world import Town
from tests.support.organisations import appoint, installer, tree
from tests.support.world import World

__all__ = ["appoint", "installer", "tree"]
OPTIONS = {
    "protocol": "ctap2",
    "transport": "usb",
    "hasResidentKey": False,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


class VirtualKey:
    """A security key in Chromium's own virtual reader (CDP WebAuthn)."""

    def __init__(self, page: Page) -> None:
        self.cdp = page.context.new_cdp_session(page)
        self.cdp.send("WebAuthn.enable")
        self.id = self.cdp.send("WebAuthn.addVirtualAuthenticator", {"options": OPTIONS})["authenticatorId"]

    def credentials(self) -> list[dict[str, Any]]:
        """What the key holds: credentialId, privateKey, signCount, …"""
        return self.cdp.send("WebAuthn.getCredentials", {"authenticatorId": self.id})["credentials"]

    def go_back_to(self, count: int) -> None:
        """Be the copy that somebody made when the counter stood at `count`."""
        (credential,) = self.credentials()
        self.cdp.send("WebAuthn.clearCredentials", {"authenticatorId": self.id})
        copy = {**credential, "signCount": count}
        self.cdp.send("WebAuthn.addCredential", {"authenticatorId": self.id, "credential": copy})

    def verify_nobody(self) -> None:
        """The holder does not enter the PIN any more."""
        self.cdp.send("WebAuthn.setUserVerified", {"authenticatorId": self.id, "isUserVerified": False})


@pytest.fixture
def virtual_key() -> Callable[[Page], VirtualKey]:
    return VirtualKey


@pytest.fixture
def at_localhost(town: Town) -> str:
    """The console under the name that security keys are bound to."""
    return town.address.replace("127.0.0.1", "localhost")


@pytest.fixture
def town_database(town: Town) -> Callable[[], AbstractContextManager[psycopg.Connection[Any]]]:
    """A connection of the administrator into the database of the town: what a clock or an accident would do."""
    return lambda: World().cluster.administrator(f"console_{os.getpid()}")
