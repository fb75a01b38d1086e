"""SoftHSM2 tokens for tests: each in a folder of its own, and what `pkcs11-tool` sees in them (H5)."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from sheka.equipment.encryption_machine.pkcs11.settings import TokenSettings

MODULE = next(
    path
    for path in (Path("/usr/lib/softhsm/libsofthsm2.so"), Path("/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"))
    if path.exists()
)
PIN, SO_PIN = "24681357", "13572468"


@dataclass(frozen=True)
class SoftToken:
    """A token: its folder, and settings with which a machine uses it."""

    folder: Path
    settings: TokenSettings

    @property
    def tokens(self) -> Path:
        """Where the token's files are; away from here the token is not there."""
        return self.folder / "tokens"

    @property
    def pin_file(self) -> Path:
        return self.folder / "pin"

    def tool(self, *arguments: str) -> str:
        """What `pkcs11-tool` prints, logged in to the token."""
        command = ["pkcs11-tool", "--module", str(MODULE), "--token-label", self.settings.token]
        return run([*command, "--login", "--pin", PIN, *arguments], self.settings.environment)

    def objects(self) -> list[dict[str, str]]:
        """The secret keys: label, ID, Usage, Access."""
        found: list[dict[str, str]] = []
        for line in self.tool("--list-objects").splitlines():
            if line.startswith("Secret Key Object"):
                found.append({})
            elif found and ":" in line:
                name, value = line.split(":", 1)
                found[-1][name.strip()] = value.strip()
        return found


def make_token(folder: Path, label: str = "sheka") -> SoftToken:
    """A fresh token under a folder, its user PIN in a file of mode 0600."""
    (folder / "tokens").mkdir(parents=True)
    configuration = folder / "softhsm2.conf"
    configuration.write_text(
        f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n"
    )
    environment = {"SOFTHSM2_CONF": str(configuration)}
    run(["softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", SO_PIN, "--pin", PIN], environment)
    pin = folder / "pin"
    pin.touch(mode=0o600)
    pin.write_text(f"{PIN}\n")
    return SoftToken(folder, TokenSettings(MODULE, label, pin_file=pin, environment=environment))


def run(command: list[str], environment: dict[str, str]) -> str:
    """A program that must succeed; what it printed."""
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout
