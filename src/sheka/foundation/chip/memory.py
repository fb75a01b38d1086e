"""The card's memory while a command runs: reads see the command's own changes, which are kept or dropped as a whole."""

from __future__ import annotations

from enum import IntEnum

from sheka.foundation.chip.storage import Storage
from sheka.foundation.refusals import Code, Refused


class Life(IntEnum):
    """Where a chip is in its life. There is no way back."""

    BLANK = 0
    """From the chip maker: knows its transport key only."""
    IN_USE = 1
    """Personalised."""
    BLOCKED = 2
    """CARD BLOCK was carried out."""


class CardMemory:
    """Named byte strings of the chip on top of a storage.

    `put` belongs to the command and is dropped when the card denies it; `put_always` (try counters) stays all the same.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._content = storage.open()
        self._changes: dict[str, bytes | None] = {}
        self._lasting: dict[str, bytes] = {}

    def get(self, name: str) -> bytes | None:
        """The value of a name as this command sees it."""
        if self._changes and name in self._changes:
            return self._changes[name]
        return self._content.get(name)

    def need(self, name: str) -> bytes:
        """A value that every chip has from its making on; a chip without it is damaged."""
        value = self.get(name)
        if value is None:
            raise Refused(Code.CHIP_STORAGE_DAMAGED, path="-", reason=name)
        return value

    def put(self, name: str, value: bytes | None) -> None:
        """Change a value (None removes it), to be kept if the command is carried out."""
        self._changes[name] = value

    def put_always(self, name: str, value: bytes) -> None:
        """Change a value that must stay changed even when the command is denied."""
        self._changes[name] = value
        self._lasting[name] = value

    def drop(self) -> None:
        """The command was denied: forget its changes except the lasting ones."""
        self._changes = dict(self._lasting)

    def commit(self) -> None:
        """Keep the changes as one whole. Refused(CHIP_STORAGE_FAILED): nothing changed."""
        changes, self._changes, self._lasting = self._changes, {}, {}
        if not changes:
            return
        self._storage.commit(changes)
        for name, value in changes.items():
            if value is None:
                self._content.pop(name, None)
            else:
                self._content[name] = value

    def scrub(self) -> None:
        """Leave nothing in the storage of what was removed. Refused(CHIP_STORAGE_FAILED)."""
        self._storage.scrub()

    def close(self) -> None:
        self._storage.close()

    @property
    def life(self) -> Life:
        return Life(self.need("life")[0])
