"""The elementary files of a chip on top of its memory: records, transparent bytes, cyclic logs (card.md §1, §2)."""

from __future__ import annotations

from sheka.foundation.chip.apdu import Denied, StatusWord
from sheka.foundation.chip.codec import blank_record
from sheka.foundation.chip.declarations import FileDeclaration, FileKind
from sheka.foundation.chip.memory import CardMemory


class ElementaryFile:
    """A file of the layout. What was never written is blank and takes no memory."""

    def __init__(self, declaration: FileDeclaration) -> None:
        self.declaration = declaration
        self.kind = declaration.kind

    @property
    def path(self) -> str:
        return self.declaration.path


class RecordFile(ElementaryFile):
    """A linear file, variable or fixed: record 1, 2, … each tag 1 ‖ length 1 ‖ value, in the places of the profile."""

    def __init__(self, declaration: FileDeclaration) -> None:
        super().__init__(declaration)
        self._names = [f"{declaration.path}/{number}" for number in range(1, len(declaration.slots) + 1)]
        self._blank = [blank_record(item) for item in declaration.slots]
        self.tags = bytes(item.tag for item in declaration.slots)

    def count(self, _: CardMemory) -> int:
        return len(self._names)

    def read(self, memory: CardMemory, number: int) -> bytes:
        """Record `number`, counted from 1, which the caller has checked to be there."""
        return memory.get(self._names[number - 1]) or self._blank[number - 1]

    def update(self, memory: CardMemory, number: int, record: bytes) -> None:
        """Replace a record. Its tag and length are the profile's: 6A80 for another tag, 6700 for another length."""
        blank = self._blank[number - 1]
        if record[:1] != blank[:1]:
            raise Denied(StatusWord.WRONG_DATA)
        if len(record) != len(blank) or record[1] != blank[1]:
            raise Denied(StatusWord.WRONG_LENGTH)
        memory.put(self._names[number - 1], record)


class TransparentFile(ElementaryFile):
    """A file of plain bytes of a fixed size."""

    def __init__(self, declaration: FileDeclaration) -> None:
        super().__init__(declaration)
        self.size = declaration.size

    def read(self, memory: CardMemory) -> bytes:
        return memory.get(self.path) or bytes(self.size)

    def update(self, memory: CardMemory, offset: int, data: bytes) -> None:
        """Overwrite bytes from `offset`: 6B00 when it lies outside, 6A84 when the data go beyond the end."""
        if offset >= self.size:
            raise Denied(StatusWord.WRONG_OFFSET)
        if offset + len(data) > self.size:
            raise Denied(StatusWord.NO_SPACE)
        content = self.read(memory)
        memory.put(self.path, content[:offset] + data + content[offset + len(data) :])


class CyclicFile(ElementaryFile):
    """A ring of records without tags; record 1 is the newest."""

    tags = b""

    def __init__(self, declaration: FileDeclaration) -> None:
        super().__init__(declaration)
        self._head = f"{declaration.path}/head"
        self._capacity = declaration.records

    def count(self, memory: CardMemory) -> int:
        return self._state(memory)[1]

    def read(self, memory: CardMemory, number: int) -> bytes:
        """Record `number`, counted back from the newest, which the caller has checked to be there."""
        newest, _ = self._state(memory)
        return memory.need(self._slot((newest - number + 1) % self._capacity))

    def append(self, memory: CardMemory, record: bytes) -> None:
        """A new newest record; the oldest goes when the ring is full. 6700 unless it has the record's length."""
        if len(record) != self.declaration.size:
            raise Denied(StatusWord.WRONG_LENGTH)
        newest, count = self._state(memory)
        newest = (newest + 1) % self._capacity
        memory.put(self._slot(newest), record)
        memory.put(self._head, newest.to_bytes(2, "big") + min(count + 1, self._capacity).to_bytes(2, "big"))

    def _state(self, memory: CardMemory) -> tuple[int, int]:
        head = memory.get(self._head)
        if head is None:
            return self._capacity - 1, 0
        return int.from_bytes(head[:2], "big"), int.from_bytes(head[2:], "big")

    def _slot(self, index: int) -> str:
        return f"{self.path}/{index}"


def make_file(declaration: FileDeclaration) -> RecordFile | TransparentFile | CyclicFile:
    """The file object of a declaration."""
    if declaration.kind is FileKind.TRANSPARENT:
        return TransparentFile(declaration)
    if declaration.kind is FileKind.CYCLIC:
        return CyclicFile(declaration)
    return RecordFile(declaration)
