"""Makes a card out of a blank chip, through any reader, and proves it before anybody gets it (H3, C1, I6).

All data are encoded before the chip is touched. Everything written is read back under the transport key before the chip
is ended; then the card is powered anew and accepted as a terminal would see it: answer to reset, every file that is
free or opens with a read key, every read key, internal authentication. A chip that was cut off half-way is continued
with the same order or refused; it is never half issued, because only the chip's own END makes it a card.
"""

from __future__ import annotations

import hmac
import secrets
import time
from dataclasses import dataclass
from enum import StrEnum

from sheka.equipment.card_reader.reader import Reader, powered
from sheka.equipment.initialisation.machine_keys import CardKeys
from sheka.equipment.initialisation.order import ChipOrder
from sheka.foundation.chip.apdu import SHORT_ANSWER, Command, StatusWord, describe
from sheka.foundation.chip.codec import blank_record
from sheka.foundation.chip.declarations import FileKind, KeyDeclaration, Purpose
from sheka.foundation.chip.holder import ChipImage, chip_image
from sheka.foundation.chip.memory import Life
from sheka.foundation.chip.personalisation import opening_steps, personalisation_steps
from sheka.foundation.chip.profile import CardProfile, load_profile
from sheka.foundation.chip.reading_back import need_same, read_back_steps
from sheka.foundation.chip.steps import Progress, carry_out, exchange, select_application, select_file
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term

SOURCE_BYTES = 8
_READ_RECORD, _INTERNAL = 0xB2, 0x88


class Fate(StrEnum):
    """What becomes of a chip whose personalisation was refused; stands in the refusal's facts as `fate`, beside its
    `chip_serial` (empty when the chip did not tell it).
    """

    KEEP = "keep"
    """Nothing was written, or the same order can be continued on this chip."""
    SCRAP = "scrap"
    """The chip must be registered as scrap and destroyed."""


_SCRAP = frozenset(
    {
        Code.CHIP_STEP_REFUSED,
        Code.CHIP_READ_BACK_DIFFERS,
        Code.CHIP_BEGUN_FOR_ANOTHER,
        Code.CHIP_BEGUN_WITH_LOGS,
        Code.CHIP_NOT_ACCEPTED,
        Code.CHIP_STORAGE_DAMAGED,
    }
)


@dataclass(frozen=True, slots=True)
class ChipResult:
    """A finished and accepted card. No personal data."""

    card_number: str
    identification_code: str
    chip_serial: str
    """16 hexadecimal characters; empty when the card was found finished (an ended chip forgets its serial)."""
    algorithm: Algorithm
    atr: str
    keys: int
    """Keys written, each version counted."""
    resumed: bool
    """The chip had been begun, or even finished, by an earlier run with the same order."""
    seconds: float


def personalise(reader: Reader, order: ChipOrder, keys: CardKeys, profile: CardProfile | None = None) -> ChipResult:
    """Make the card of an order out of the blank chip in a reader.

    Running it again with the same order continues a chip that was cut off, and accepts one that had been finished.

    Raises
    ------
    Refused : the codec's and identity refusals before the chip is touched; CHIP_NOT_BLANK, CHIP_BEGUN_FOR_ANOTHER,
        CHIP_BEGUN_WITH_LOGS, CHIP_STEP_REFUSED, CHIP_READ_BACK_DIFFERS, CHIP_NOT_ACCEPTED; those of reader and machine.
        `fate_of` tells what to do with the chip.
    """
    return _Run(reader, order, keys, load_profile() if profile is None else profile).run()


def fate_of(error: Refused) -> Fate:
    """What becomes of the chip after a refusal of `personalise`."""
    return Fate(str(error.facts.get("fate", Fate.KEEP)))


class _Run:
    """One run of `personalise`."""

    def __init__(self, reader: Reader, order: ChipOrder, keys: CardKeys, profile: CardProfile) -> None:
        self._reader, self._order, self._keys, self._profile = reader, order, keys, profile
        self._image: ChipImage = chip_image(profile, order.holder)
        self._progress = Progress()
        self._opening = len(opening_steps(profile, keys, order.algorithm, []))
        self._resumed = False

    def run(self) -> ChipResult:
        order, started = self._order, time.monotonic()
        number = order.card_number
        try:
            with powered(self._reader):
                if self._life() is Life.IN_USE:
                    self._need_our_card()
                else:
                    self._write()
            atr = self._accept()
        except Refused as error:
            error.facts["fate"] = self._fate(error)
            error.facts["chip_serial"] = self._progress.chip_serial.hex().upper()
            raise
        return ChipResult(
            card_number=number,
            identification_code=order.identification_code,
            chip_serial=self._progress.chip_serial.hex().upper(),
            algorithm=order.algorithm,
            atr=atr.hex().upper(),
            keys=len(self._progress.wrapped),
            resumed=self._resumed,
            seconds=time.monotonic() - started,
        )

    def _fate(self, error: Refused) -> Fate:
        """Before the first write only a chip whose transport key is locked is lost."""
        touched = self._progress.done >= self._opening or self._resumed
        locked = error.facts.get("status") == f"{StatusWord.LOCKED:04X}"
        return Fate.SCRAP if error.code in _SCRAP and (touched or locked) else Fate.KEEP

    def _life(self) -> Life:
        """Blank or in use; anything else is no chip of ours. CHIP_NOT_BLANK."""
        cla, ins = self._profile.instructions["get_data"]
        tag = self._profile.data_objects["chip_state"]
        answer = exchange(self._reader.transmit, Command(cla, ins, tag >> 8, tag & 0xFF, b"", SHORT_ANSWER))
        if not answer.ok or answer.data[:1] not in (bytes((Life.BLANK,)), bytes((Life.IN_USE,))):
            raise _not_blank(answer.status)
        return Life(answer.data[0])

    def _write(self) -> None:
        order = self._order
        steps = personalisation_steps(
            self._profile, order.holder, self._keys, algorithm=order.algorithm, versions=order.versions
        )
        carry_out(steps[: self._opening], self._reader.transmit, self._progress)
        self._look_for_an_earlier_run()
        carry_out(steps[self._opening :], self._reader.transmit, self._progress)

    def _look_for_an_earlier_run(self) -> None:
        """The identification code is written before any holder's data: its record tells whose chip this was to be."""
        found, ours, blank = self._identification_record()
        if found == blank:
            return
        if found != ours:
            self._resumed = True
            raise Refused(Code.CHIP_BEGUN_FOR_ANOTHER)
        self._resumed = True
        logs = [file.path for file in self._profile.files if file.kind is FileKind.CYCLIC]
        if any(self._image.files[path] for path in logs):
            raise Refused(Code.CHIP_BEGUN_WITH_LOGS)

    def _need_our_card(self) -> None:
        """A card in use may be the one that an earlier run finished; any other is left alone."""
        found, ours, _ = self._identification_record()
        if found != ours:
            raise _not_blank(StatusWord.WRONG_STATE)
        self._resumed = True

    def _identification_record(self) -> tuple[bytes, bytes, bytes]:
        """The record of the identification code: as it is on the chip, as it shall be, and blank."""
        profile = self._profile
        file, item = profile.identification_file, profile.identification_item
        index = file.slots.index(item)
        steps = [select_application(profile.application(file.application)), select_file(file)]
        carry_out(steps, self._reader.transmit)
        answer = exchange(self._reader.transmit, Command(0x00, _READ_RECORD, index + 1, 0x04, b"", item.record_bytes))
        return answer.data, self._image.files[file.path][index], blank_record(item)

    def _accept(self) -> bytes:
        """Power the card up anew and see it as a terminal does; its ATR."""
        with powered(self._reader) as atr:
            if atr != self._profile.atr.prefix + self._image.historical:
                raise _not_accepted("复位应答", "answer to reset")
            if self._life() is not Life.IN_USE:
                raise _not_accepted("生命周期状态", "life state")
            need_same(carry_out(read_back_steps(self._profile, self._image, self._cryptogram), self._reader.transmit))
            self._prove()
        return atr

    def _prove(self) -> None:
        internal = next(key for key in self._profile.keys if key.purpose is Purpose.INTERNAL)
        factor, source = self._order.factor(self._profile), secrets.token_bytes(SOURCE_BYTES)
        carry_out([select_application(self._profile.application(internal.application))], self._reader.transmit)
        answer = exchange(self._reader.transmit, Command(0x00, _INTERNAL, 0, 0, factor + source, 8))
        expected = self._keys.internal_answer(self._newest(internal), source)
        if not hmac.compare_digest(answer.data, expected):
            raise _not_accepted("内部认证", "internal authentication")

    def _cryptogram(self, key: KeyDeclaration, challenge: bytes) -> bytes:
        return self._keys.read_cryptogram(key, self._newest(key), challenge)

    def _newest(self, key: KeyDeclaration) -> int:
        return max(version for version in self._order.versions if version in key.versions)


def _not_blank(status: int) -> Refused:
    reason = Term(describe(status, "zh-Hans"), describe(status, "en"))
    return Refused(Code.CHIP_NOT_BLANK, reason=reason, status=f"{status:04X}")


def _not_accepted(zh: str, en: str) -> Refused:
    return Refused(Code.CHIP_NOT_ACCEPTED, reason=Term(zh, en))
