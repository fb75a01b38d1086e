"""Reading a card back by the same data that wrote it: every file, every byte (H3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sheka.foundation.chip.apdu import SHORT_ANSWER, Command
from sheka.foundation.chip.authentication import external_data
from sheka.foundation.chip.declarations import FileDeclaration, FileKind, KeyDeclaration
from sheka.foundation.chip.holder import ChipImage, decode_file
from sheka.foundation.chip.profile import CardProfile
from sheka.foundation.chip.steps import Progress, Step, select_application, select_file, simple
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term

CryptogramOf = Callable[[KeyDeclaration, bytes], bytes]
"""(read key, challenge 8) → external cryptogram 8, from an encryption machine or PSAM."""


def read_back_steps(profile: CardProfile, image: ChipImage, cryptogram_of: CryptogramOf | None = None) -> list[Step]:
    """Read all files and note every difference in `Progress.differences`; `need_same` then decides.

    Parameters
    ----------
    cryptogram_of : None inside a personalisation session, which may read everything. For a card in use it authenticates
        the read key of each file; files that also ask for the PIN are left out then.
    """
    steps: list[Step] = []
    version = _version(profile, image)
    for application in profile.applications:
        steps.append(select_application(application))
        authenticated: set[str] = set()
        for file in application.files:
            rule = file.read_by_version.get(version, file.read)
            if cryptogram_of is not None and not rule.free:
                if rule.key is None or rule.both:
                    continue
                if rule.key not in authenticated:
                    steps += authentication_steps(profile.key(rule.key), cryptogram_of)
                    authenticated.add(rule.key)
            steps.append(select_file(file))
            steps += _read(file, image.files[file.path])
    return steps


def authentication_steps(key: KeyDeclaration, cryptogram_of: CryptogramOf) -> list[Step]:
    """GET CHALLENGE and EXTERNAL AUTHENTICATE with a key of the current application or above it."""

    def take(progress: Progress, data: bytes) -> None:
        progress.challenge = data

    def authenticate(progress: Progress) -> Command:
        challenge = progress.challenge
        return Command(0x00, 0x82, 0x00, key.key_id, external_data(cryptogram_of(key, challenge), challenge))

    return [
        simple(
            Term(f"取{key.name}的随机数", f"challenge for {key.name}"), Command(0x00, 0x84, 0x00, 0x00, b"", 8), take
        ),
        Step(Term(f"认证{key.name}", f"authenticate {key.name}"), authenticate),
    ]


def need_same(progress: Progress) -> None:
    """Refused(CHIP_READ_BACK_DIFFERS) naming the files and records that differ; nothing when all is as written."""
    if progress.differences:
        raise Refused(Code.CHIP_READ_BACK_DIFFERS, items=", ".join(progress.differences))


def decoded(profile: CardProfile, progress: Progress) -> dict[str, Any]:
    """What was read back, decoded: file path → values, for the record of the machine and for people to look at."""
    return {path: decode_file(profile.file(path), content) for path, content in progress.records.items()}


def _read(file: FileDeclaration, expected: tuple[bytes, ...]) -> list[Step]:
    if file.kind is FileKind.TRANSPARENT:
        content = expected[0]
        pieces = range(0, file.size, SHORT_ANSWER)
        return [_piece(file, at, content[at : at + SHORT_ANSWER]) for at in pieces]
    if file.kind is FileKind.CYCLIC:
        newest_first = tuple(reversed(expected))
        return [_record(file, number, content) for number, content in enumerate(newest_first, 1)]
    return [_record(file, number, content) for number, content in enumerate(expected, 1)]


def _record(file: FileDeclaration, number: int, expected: bytes) -> Step:
    name = f"{file.path}/{number}"

    def take(progress: Progress, data: bytes) -> None:
        read = progress.records.setdefault(file.path, [])
        if file.kind is FileKind.CYCLIC:
            read.insert(0, data)
        else:
            read.append(data)
        if data != expected:
            progress.differences.append(name)

    return simple(Term(f"回读{name}", f"read {name}"), Command(0x00, 0xB2, number, 0x04, b"", SHORT_ANSWER), take)


def _piece(file: FileDeclaration, offset: int, expected: bytes) -> Step:
    name = f"{file.path}+{offset:X}"

    def take(progress: Progress, data: bytes) -> None:
        progress.records.setdefault(file.path, []).append(data)
        if data != expected:
            progress.differences.append(name)

    return simple(
        Term(f"回读{name}", f"read {name}"), Command(0x00, 0xB0, offset >> 8, offset & 0xFF, b"", len(expected)), take
    )


def _version(profile: CardProfile, image: ChipImage) -> str:
    """The specification version that the image writes."""
    values = decode_file(profile.version_file, image.files[profile.version_file.path])
    return str(values[profile.version_item.name])
