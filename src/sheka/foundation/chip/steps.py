"""A step of a conversation with a chip, and the loop that carries steps out (H3, H4).

A step builds its APDU when its turn comes, because it may need what earlier answers brought; it then takes the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from sheka.foundation.chip.apdu import SHORT_ANSWER, Command, Response, describe
from sheka.foundation.chip.declarations import Application, FileDeclaration
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term

Transmit = Callable[[bytes], bytes]

MOST_PARTS = 64
"""GET RESPONSEs that one answer may take: 16 KiB from a chip that fills its buffer of 256 bytes each time."""


@dataclass(slots=True)
class Progress:
    """What a conversation has brought so far."""

    chip_serial: bytes = b""
    challenge: bytes = b""
    wrapped: list[bytes] = field(default_factory=list)
    """WRITE KEY data, in the order in which the keys are written."""
    records: dict[str, list[bytes]] = field(default_factory=dict)
    """Read back: file path → its records, or the pieces of a transparent file."""
    differences: list[str] = field(default_factory=list)
    done: int = 0
    """How many steps were carried out."""


@dataclass(frozen=True, slots=True)
class Step:
    """One APDU: its name for the record, how it is built, what becomes of the answer's data."""

    name: Term
    command: Callable[[Progress], Command]
    take: Callable[[Progress, bytes], None] | None = None


def carry_out(steps: Iterable[Step], transmit: Transmit, progress: Progress | None = None) -> Progress:
    """Send the steps one after another; 61xx and 6Cxx are followed up.

    Raises Refused(CHIP_STEP_REFUSED) with the step's name at the first answer that is not 9000, and whatever a step
    raises.
    """
    progress = progress or Progress()
    for step in steps:
        answer = exchange(transmit, step.command(progress))
        if not answer.ok:
            raise Refused(
                Code.CHIP_STEP_REFUSED,
                step=step.name,
                status=f"{answer.status:04X}",
                text=meaning(answer.status),
            )
        if step.take is not None:
            step.take(progress, answer.data)
        progress.done += 1
    return progress


def exchange(transmit: Transmit, command: Command) -> Response:
    """One command and its whole answer: GET RESPONSE after 61xx, the right Le after 6Cxx.

    Refused(CARD_DATA_MALFORMED) for a chip that announces more and more without an end.
    """
    answer = Response.parse(transmit(command.to_bytes()))
    if answer.status >> 8 == 0x6C:
        le = answer.status & 0xFF or SHORT_ANSWER
        again = Command(command.cla, command.ins, command.p1, command.p2, command.data, le)
        answer = Response.parse(transmit(again.to_bytes()))
    data, left = answer.data, MOST_PARTS
    while answer.status >> 8 == 0x61:
        left -= 1
        if left < 0:
            raise Refused(Code.CARD_DATA_MALFORMED, file="-", reason=Term("应答没有结尾", "an answer without an end"))
        rest = Command(0x00, 0xC0, 0x00, 0x00, b"", answer.status & 0xFF or SHORT_ANSWER)
        answer = Response.parse(transmit(rest.to_bytes()))
        data += answer.data
    return Response(data, answer.status)


def meaning(status: int) -> Term:
    """What a status word says, in both languages."""
    return Term(describe(status, "zh"), describe(status, "en"))


def simple(name: Term, command: Command, take: Callable[[Progress, bytes], None] | None = None) -> Step:
    """A step whose APDU is known beforehand."""
    return Step(name, lambda _: command, take)


def select_application(application: Application) -> Step:
    """Select by AID, by FID where there is none."""
    if application.aid:
        return simple(
            Term(f"选择应用{application.name}", f"select {application.name}"),
            Command(0x00, 0xA4, 0x04, 0x0C, application.aid),
        )
    return simple(
        Term(f"选择应用{application.name}", f"select {application.name}"),
        Command(0x00, 0xA4, 0x00, 0x0C, application.fid),
    )


def select_file(file: FileDeclaration) -> Step:
    """Select an elementary file of the current application."""
    return simple(Term(f"选择文件{file.path}", f"select {file.path}"), Command(0x00, 0xA4, 0x02, 0x0C, file.fid))
