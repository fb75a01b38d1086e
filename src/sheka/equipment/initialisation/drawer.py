"""The drawer of virtual chips (H3): blank ones from the maker, chips being made, finished cards by their number.

A chip is one file, and where it lies says what it is; every move is one rename, so that a crash never leaves a chip in
two places or in none:

    blank/SM4/<serial>.chip      as the maker delivered it
    begun/<home>/<serial>.chip   taken; home is the card number that it was taken for, or its serial
    cards/<number>/<serial>.chip a finished card
    scrap/<serial>.chip          spoilt, to be destroyed
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from sheka.equipment.card_reader.in_process import InProcessReader
from sheka.equipment.card_reader.session import CardSession
from sheka.equipment.encryption_machine.files import sync_folder
from sheka.equipment.initialisation.chip_files import SUFFIX, destroy_file, disk, file_name, flush, serials_in
from sheka.equipment.initialisation.maker import ChipMaker, locked
from sheka.foundation.chip.card import VirtualCard
from sheka.foundation.chip.profile import CardProfile, load_profile
from sheka.foundation.chip.storage import CardStorage
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused

IN_NODE = "chips"
"""The drawer's place in a node's folder."""

_BLANK, _BEGUN, _CARDS, _SCRAP = "blank", "begun", "cards", "scrap"
_NUMBER = re.compile(r"[0-9A-Z]{9}")
_SERIAL = re.compile(r"[0-9A-F]{16}")


@dataclass(frozen=True, slots=True)
class DrawnChip:
    """A chip taken out of the drawer."""

    serial: str
    home: str
    """Where it is kept: the card number that it was taken for, or its serial when it was taken for none."""
    card: VirtualCard
    finished: bool

    def reader(self) -> InProcessReader:
        """A reader with this chip in it."""
        return InProcessReader(self.card, f"drawer {self.serial}")


class ChipDrawer:
    """A folder of virtual chips.

    Parameters
    ----------
    folder : made when chips are first manufactured; mode 0700, since chips hold keys.
    sync : wait for the disk when a chip has become a card, and at every write of a card from then on. Without it a
        power cut of the machine can lose the last writes. A chip that is being made waits for nothing: at worst it is
        begun again, or scrap.
    """

    def __init__(self, folder: Path, profile: CardProfile | None = None, *, sync: bool = True) -> None:
        self.folder = folder
        self.maker = ChipMaker(folder / "maker")
        self._profile = load_profile() if profile is None else profile
        self._sync = sync
        self._known_blank: dict[Algorithm, list[str]] = {}

    # blank chips

    def manufacture(self, count: int, algorithm: Algorithm) -> list[str]:
        """Put `count` new blank chips into the drawer; their serials, 16 hexadecimal characters each."""
        with disk():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            serials = self.maker.next_serials(count)
            for serial in serials:
                VirtualCard.manufacture(
                    CardStorage(self._blank_folder(algorithm) / file_name(serial.hex().upper()), sync=False),
                    self._profile,
                    algorithm=algorithm,
                    chip_serial=serial,
                    transport_key=self.maker.transport_key(algorithm, serial),
                )
        return [serial.hex().upper() for serial in serials]

    def blanks(self, algorithm: Algorithm) -> int:
        """How many blank chips of an algorithm there are."""
        return len(_serials(self._blank_folder(algorithm)))

    # making a card

    def take(self, algorithm: Algorithm | int, card_number: str = "") -> DrawnChip:
        """A blank chip; with a card number the chip that was begun or finished for that number before, if there is one.

        Raises Refused: DRAWER_ABSENT, DRAWER_EMPTY, DRAWER_CARD_UNKNOWN for what is no card number.
        """
        self._need_folder()
        if card_number and not _NUMBER.fullmatch(card_number):
            raise Refused(Code.DRAWER_CARD_UNKNOWN, card_number=card_number)
        with disk(), locked(self.folder):
            if card_number:
                for place in (_CARDS, _BEGUN):
                    if (path := self._chip_of(place, card_number)) is not None:
                        return self._drawn(path)
            return self._drawn(self._take_blank(Algorithm(algorithm), card_number))

    def finish(self, chip: DrawnChip, card_number: str = "") -> None:
        """The chip is a card now and is found by its number. A second call changes nothing.

        Raises Refused: DRAWER_CARD_TAKEN when another chip has the number, DRAWER_CHIP_UNKNOWN.
        """
        number = card_number or chip.home
        target = self._home(_CARDS, number)
        if (path := self._chip_of(_CARDS, number)) is not None:
            if path.name != file_name(chip.serial):
                raise Refused(Code.DRAWER_CARD_TAKEN, card_number=number)
            return
        source = self.folder / _BEGUN / chip.home
        if not (source / file_name(chip.serial)).exists():
            raise Refused(Code.DRAWER_CHIP_UNKNOWN, serial=chip.serial)
        with disk():
            target.parent.mkdir(exist_ok=True)
            if self._sync:
                flush(source / file_name(chip.serial))
            source.rename(target)
            if self._sync:
                sync_folder(target.parent)

    def sort(self) -> None:
        """File every begun chip that has become a card under the number that it holds itself.

        For chips that were personalised through a reader by somebody who does not know the drawer. A chip that is in a
        reader now is left for the next time, one whose number another chip has stays begun.
        """
        for home in self.begun():
            chip = self.begun_chip(home)
            number = _number_in(chip)
            if number and self._chip_of(_CARDS, number) is None:
                self.finish(chip, number)

    def scrap(self, chip: DrawnChip) -> None:
        """The chip is spoilt: out of the way, to be destroyed; its card number can be made on another chip."""
        path = self.folder / (_CARDS if chip.finished else _BEGUN) / chip.home / file_name(chip.serial)
        if not path.exists():
            raise Refused(Code.DRAWER_CHIP_UNKNOWN, serial=chip.serial)
        with disk():
            (self.folder / _SCRAP).mkdir(exist_ok=True)
            path.rename(self.folder / _SCRAP / path.name)
            _remove_home(path.parent)

    def begun_chip(self, home: str) -> DrawnChip:
        """A chip that was taken and not finished, by its home as `begun` lists it. Refused(DRAWER_CHIP_UNKNOWN)."""
        path = self._chip_of(_BEGUN, home)
        if path is None:
            raise Refused(Code.DRAWER_CHIP_UNKNOWN, serial=home)
        return self._drawn(path)

    def begun(self) -> list[str]:
        """The homes (card number, or serial) of chips that were taken and not finished: to be gone on with or scrap."""
        return self._homes(_BEGUN)

    def scrapped(self) -> list[str]:
        """Serials of the spoilt chips that wait for their destruction."""
        return _serials(self.folder / _SCRAP)

    def destroy_scrap(self, serial: str) -> None:
        """Destroy a spoilt chip: its memory is overwritten and removed."""
        path = self.folder / _SCRAP / file_name(_need_serial(serial))
        if not path.exists():
            raise Refused(Code.DRAWER_CHIP_UNKNOWN, serial=serial)
        with disk():
            destroy_file(path)

    # finished cards

    def numbers(self) -> list[str]:
        """The numbers of the finished cards."""
        return self._homes(_CARDS)

    def card(self, card_number: str) -> VirtualCard:
        """A finished card. Refused(DRAWER_ABSENT), Refused(DRAWER_CARD_UNKNOWN)."""
        return self._drawn(self._finished(card_number)).card

    def reader(self, which: str | DrawnChip) -> InProcessReader:
        """A reader with a finished card (by its number) or a chip that was taken in it."""
        return which.reader() if isinstance(which, DrawnChip) else InProcessReader(self.card(which), f"drawer {which}")

    def serial_of(self, card_number: str) -> str:
        """The chip serial of a finished card."""
        return self._finished(card_number).name.removesuffix(SUFFIX)

    def break_chip(self, card_number: str) -> None:
        """Break a card's chip as wear breaks a real one: its memory no longer holds together and it stays mute (R7)."""
        path = self._finished(card_number)
        with disk(), path.open("r+b") as file:
            file.write(b"\xff" * 64)

    def destroy(self, card_number: str) -> None:
        """Destroy a card (R4): its memory is overwritten and removed, and its number leads nowhere."""
        path = self._finished(card_number)
        with disk():
            destroy_file(path)
            _remove_home(path.parent)

    # the folder

    def _need_folder(self) -> None:
        if not self.folder.is_dir():
            raise Refused(Code.DRAWER_ABSENT, folder=self.folder)

    def _finished(self, card_number: str) -> Path:
        self._need_folder()
        path = self._chip_of(_CARDS, card_number)
        if path is None:
            self.sort()
            path = self._chip_of(_CARDS, card_number)
        if path is None:
            raise Refused(Code.DRAWER_CARD_UNKNOWN, card_number=card_number)
        return path

    def _take_blank(self, algorithm: Algorithm, card_number: str) -> Path:
        serial = self._next_blank(algorithm)
        if serial is None:
            raise Refused(Code.DRAWER_EMPTY, algorithm=algorithm.name)
        home = self._home(_BEGUN, card_number or serial)
        home.mkdir(parents=True, exist_ok=True)
        return (self._blank_folder(algorithm) / file_name(serial)).rename(home / file_name(serial))

    def _chip_of(self, place: str, home: str) -> Path | None:
        folder = self._home(place, home)
        serials = _serials(folder)
        return folder / file_name(serials[0]) if serials else None

    def _home(self, place: str, home: str) -> Path:
        if not _NUMBER.fullmatch(home) and not _SERIAL.fullmatch(home):
            raise Refused(Code.DRAWER_CARD_UNKNOWN, card_number=home)
        return self.folder / place / home

    def _blank_folder(self, algorithm: Algorithm) -> Path:
        return self.folder / _BLANK / algorithm.name

    def _next_blank(self, algorithm: Algorithm) -> str | None:
        """The oldest blank chip; the folder is read again only when the list of before is used up."""
        folder = self._blank_folder(algorithm)
        known = self._known_blank.get(algorithm, [])
        while known:
            if (folder / file_name(serial := known.pop())).exists():
                return serial
        known = self._known_blank[algorithm] = _serials(folder)[::-1]
        return known.pop() if known else None

    def _homes(self, place: str) -> list[str]:
        folder = self.folder / place
        return sorted(home.name for home in folder.iterdir() if _serials(home)) if folder.is_dir() else []

    def _drawn(self, path: Path) -> DrawnChip:
        serial, home = path.name.removesuffix(SUFFIX), path.parent
        finished = home.parent.name == _CARDS
        storage = CardStorage(path, sync=self._sync and finished)
        return DrawnChip(serial, home.name, VirtualCard(self._profile, storage), finished)


def _serials(folder: Path) -> list[str]:
    return serials_in(folder, _SERIAL)


def _number_in(chip: DrawnChip) -> str:
    """The card number that a chip holds; empty while it is blank, in a reader or unreadable."""
    try:
        with CardSession(chip.reader()) as session:
            session.select_sse()
            return session.read_public_identity().card_number.text
    except Refused:
        return ""


def _need_serial(serial: str) -> str:
    if not _SERIAL.fullmatch(serial):
        raise Refused(Code.DRAWER_CHIP_UNKNOWN, serial=serial)
    return serial


def _remove_home(home: Path) -> None:
    for left in home.iterdir():
        destroy_file(left)
    home.rmdir()
