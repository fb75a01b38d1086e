"""From a blank chip to a card: the ordered steps that an initialisation device sends (H3, I6; card.md §6).

Nothing here talks to a chip: a driver carries the steps out over its reader (`steps.carry_out` is that loop). All data
are encoded before the first APDU, so bad data never cost a chip. The read-back compares the chip with the very bytes
that were to be written, still inside the personalisation session: a chip that differs is never ended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from sheka.foundation.chip.apdu import Command
from sheka.foundation.chip.authentication import WRAPPED_KEY_BYTES, external_data
from sheka.foundation.chip.codec import blank_record
from sheka.foundation.chip.declarations import FileDeclaration, FileKind, KeyDeclaration
from sheka.foundation.chip.holder import ChipImage, HolderData, chip_image
from sheka.foundation.chip.memory import Life
from sheka.foundation.chip.profile import CardProfile
from sheka.foundation.chip.reading_back import need_same, read_back_steps
from sheka.foundation.chip.steps import Progress, Step, select_application, select_file, simple
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term

BINARY_CHUNK = 0xF0

WantedKey = tuple[KeyDeclaration, int]
"""A key of the layout and the version in which it is written."""


class ChipKeys(Protocol):
    """What the encryption machine does for one chip; no key comes out of it in clear."""

    def transport_cryptogram(self, chip_serial: bytes, challenge: bytes) -> bytes:
        """`authentication.external_cryptogram` of the challenge (8 bytes) under the chip's KT: 8 bytes."""

    def wrapped_keys(self, chip_serial: bytes, challenge: bytes, wanted: Sequence[WantedKey]) -> Sequence[bytes]:
        """`authentication.wrap_key_for_chip` of every wanted card key under the chip's KT, in the order asked for.

        Called once a chip, so that one call to the machine serves all keys.
        """


def personalisation_steps(
    profile: CardProfile,
    holder: HolderData,
    keys: ChipKeys,
    *,
    algorithm: Algorithm,
    versions: Sequence[int] = (1,),
    read_back: bool = True,
) -> list[Step]:
    """Everything from the first APDU to END PERSONALISATION.

    Parameters
    ----------
    algorithm : which the chip must have; another is refused before a key is written.
    versions : the key versions to write, each key in each of them that its declaration allows.
    read_back : read every file and compare before the end.

    Raises
    ------
    Refused : those of `holder.chip_image`; while it is carried out also CHIP_STEP_REFUSED, CHIP_KEY_MISSING,
        CHIP_IDENTITY_MISMATCH (another algorithm) and CHIP_READ_BACK_DIFFERS.
    """
    image = chip_image(profile, holder)
    wanted = [
        (key, version)
        for application in profile.applications
        for key in profile.keys_of(application.name)
        for version in versions
        if version in key.versions
    ]
    steps = opening_steps(profile, keys, algorithm, wanted)
    index = 0
    for application in profile.applications:
        steps.append(select_application(application))
        for key, version in wanted:
            if key.application == application.name:
                steps.append(_write_key(profile, key, version, index))
                index += 1
        for file in application.files:
            if file.path in image.given:
                steps += write_file_steps(file, image.files[file.path])
    if read_back:
        steps += read_back_steps(profile, image)
    return steps + closing_steps(profile, image)


def opening_steps(
    profile: CardProfile, keys: ChipKeys, algorithm: Algorithm, wanted: Sequence[WantedKey]
) -> list[Step]:
    """Ask the chip who it is, authenticate KT, and have all keys wrapped for it."""
    objects = profile.data_objects

    def take_serial(progress: Progress, data: bytes) -> None:
        progress.chip_serial = data

    def take_state(_: Progress, data: bytes) -> None:
        if data[:2] != bytes((Life.BLANK, algorithm)):
            raise Refused(Code.CHIP_IDENTITY_MISMATCH, reason=f"{data[:2].hex()} ≠ {Life.BLANK:02x}{algorithm:02x}")

    def take_challenge(progress: Progress, data: bytes) -> None:
        progress.challenge = data

    def authenticate(progress: Progress) -> Command:
        cryptogram = keys.transport_cryptogram(progress.chip_serial, progress.challenge)
        data = external_data(cryptogram, progress.challenge)
        return Command(0x00, 0x82, 0x00, profile.transport.key_id, data)

    def wrap(progress: Progress, _: bytes) -> None:
        wrapped = list(keys.wrapped_keys(progress.chip_serial, progress.challenge, wanted)) if wanted else []
        missing = [key.name for key, _ in wanted[len(wrapped) :]]
        missing += [key.name for (key, _), data in zip(wanted, wrapped, strict=False) if len(data) != WRAPPED_KEY_BYTES]
        if missing:
            raise Refused(Code.CHIP_KEY_MISSING, keys=", ".join(missing))
        progress.wrapped = wrapped

    return [
        simple(Term("读芯片状态", "read the chip's state"), _get_data(profile, objects["chip_state"]), take_state),
        simple(Term("读芯片序列号", "read the chip serial"), _get_data(profile, objects["chip_serial"]), take_serial),
        simple(Term("取KT的随机数", "challenge for KT"), Command(0x00, 0x84, 0x00, 0x00, b"", 8), take_challenge),
        Step(Term("认证KT", "authenticate KT"), authenticate, wrap),
    ]


def write_file_steps(file: FileDeclaration, content: Sequence[bytes]) -> list[Step]:
    """Select a file and write it; blank records and empty stretches are left as they are."""
    steps = [select_file(file)]
    if file.kind is FileKind.TRANSPARENT:
        for at in range(0, file.size, BINARY_CHUNK):
            piece = content[0][at : at + BINARY_CHUNK]
            if any(piece):
                steps.append(simple(_writing(f"{file.path}+{at:X}"), Command(0x00, 0xD6, at >> 8, at & 0xFF, piece)))
    elif file.kind is FileKind.CYCLIC:
        for number, record in enumerate(content, 1):
            steps.append(
                simple(
                    Term(f"追加{file.path}/{number}", f"append {file.path}/{number}"),
                    Command(0x00, 0xE2, 0x00, 0x00, record),
                )
            )
    else:
        for number, (item, record) in enumerate(zip(file.slots, content, strict=True), 1):
            if record != blank_record(item):
                steps.append(simple(_writing(f"{file.path}/{number}"), Command(0x00, 0xDC, number, 0x04, record)))
    return steps


def closing_steps(profile: CardProfile, image: ChipImage) -> list[Step]:
    """PIN, identity, and the end, which is not reached when the read-back found a difference."""

    def end(progress: Progress) -> Command:
        need_same(progress)
        return _own(profile.instructions, "end_personalisation")

    return [
        simple(Term("写初始密码", "write the initial PIN"), _own(profile.instructions, "write_pin", image.pin)),
        simple(Term("写入ATR", "set the identity"), _own(profile.instructions, "set_identity", image.historical)),
        Step(Term("结束个人化", "end the personalisation"), end),
    ]


def _writing(what: str) -> Term:
    return Term(f"写{what}", f"write {what}")


def _write_key(profile: CardProfile, key: KeyDeclaration, version: int, index: int) -> Step:
    def command(progress: Progress) -> Command:
        return _own(profile.instructions, "write_key", progress.wrapped[index])

    return Step(_writing(f"{key.name} v{version}"), command)


def _get_data(profile: CardProfile, tag: int) -> Command:
    cla, ins = profile.instructions["get_data"]
    return Command(cla, ins, tag >> 8, tag & 0xFF, b"", 256)


def _own(instructions: Mapping[str, tuple[int, int]], name: str, data: bytes = b"") -> Command:
    cla, ins = instructions[name]
    return Command(cla, ins, 0x00, 0x00, data)
