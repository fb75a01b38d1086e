"""The secrets of a node (H1): passwords and keys in `secrets.toml`, readable by its owner alone."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from sheka.equipment.server.files import write_private

CALLERS = ("systems", "switch", "initialisation")
Role = Literal["app", "owner", "switch", "enquiry", "auditor", "backup"]
NEEDED_ROLES: frozenset[str] = frozenset({"app", "owner", "switch"})


class NodeSecrets(BaseModel):
    """What the file holds. `machines`: machine → caller → secret; `database`: role → address, for an outside one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    django_secret_key: str = Field(min_length=40)
    person_key: str = Field("", pattern="^([0-9a-f]{64})?$")
    machines: dict[str, dict[str, str]] = {}
    database: dict[Role, str] = {}

    def has_callers_of(self, machine: str) -> bool:
        """Whether each caller of this machine has a secret of 32 bytes in hexadecimal."""
        words = self.machines.get(machine, {})
        return bool(words) and all(len(word) == 64 and _hexadecimal(word) for word in words.values())


def secrets_text(machines: dict[str, str]) -> str:
    """A new file's text: fresh secrets for the web and for every caller of every machine."""
    lines = [f'django_secret_key = "{secrets.token_urlsafe(48)}"', _person_key()]
    for name in machines:
        lines += ["", f"[machines.{name}]", *(f'{caller} = "{secrets.token_hex(32)}"' for caller in CALLERS)]
    return "\n".join(lines) + "\n"


def add_missing(path: Path, known: NodeSecrets) -> bool:
    """Add what a file of an earlier version does not have yet; False when nothing was missing."""
    if known.person_key:
        return False
    write_private(path, f"{_person_key()}\n{path.read_text('utf-8')}")
    return True


def _person_key() -> str:
    return f'person_key = "{secrets.token_hex(32)}"'


def _hexadecimal(word: str) -> bool:
    return all(letter in "0123456789abcdef" for letter in word)
