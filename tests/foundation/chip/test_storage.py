"""A chip's memory under power cuts: whatever is torn, the holder's card is in its old or its new state (card.md §5)."""

from __future__ import annotations

import gc
import itertools
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sheka.foundation.chip import storage as storage_module
from sheka.foundation.chip.storage import CardStorage, MemoryStorage, Storage, frame, read_frames
from sheka.foundation.refusals import Code, Refused

NAMES = st.sampled_from(["pin", "pin/tries", "SSSE/EF05/1", "SSSE/EF08", "life"])
CHANGES = st.dictionaries(NAMES, st.none() | st.binary(max_size=40), min_size=1, max_size=4)


class PowerCutError(BaseException):
    """The power is gone; nothing after this line runs."""


def content_of(path: Path) -> dict[str, bytes]:
    storage = CardStorage(path)
    try:
        return storage.open()
    finally:
        storage.close()


def code_of(call: object) -> Code:
    with pytest.raises(Refused) as refusal:
        call()  # type: ignore[operator]
    return refusal.value.code


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(CHANGES, min_size=1, max_size=6))
def test_a_file_cut_at_any_byte_holds_the_last_whole_commit(
    tmp_path_factory: pytest.TempPathFactory, commits: list[dict[str, bytes | None]]
) -> None:
    path = tmp_path_factory.mktemp("chip") / "card.chip"
    storage = CardStorage(path, sync=False)
    state = {"life": b"\0", "serial": b"12345678"}
    storage.create(state)
    storage.open()
    states = [(path.stat().st_size, dict(state))]
    for changes in commits:
        storage.commit(changes)
        for name, value in changes.items():
            if value is None:
                state.pop(name, None)
            else:
                state[name] = value
        states.append((path.stat().st_size, dict(state)))
    storage.close()
    whole = path.read_bytes()
    for cut in range(states[0][0], len(whole) + 1):
        expected = [content for end, content in states if end <= cut][-1]
        assert read_frames(whole[:cut], "x")[0] == expected
    for cut in range(states[0][0]):
        assert code_of(lambda cut=cut: read_frames(whole[:cut], "x")) is Code.CHIP_STORAGE_DAMAGED


def test_a_torn_end_is_cut_off_and_the_next_commit_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "card.chip"
    storage = CardStorage(path)
    storage.create({"a": b"1"})
    storage.open()
    storage.commit({"a": b"2"})
    end = path.stat().st_size
    storage.commit({"a": b"3"})
    storage.close()
    os.truncate(path, path.stat().st_size - 1)
    again = CardStorage(path)
    assert again.open() == {"a": b"2"}
    assert path.stat().st_size == end
    again.commit({"b": b"4"})
    again.close()
    assert content_of(path) == {"a": b"2", "b": b"4"}


def test_damage_in_the_middle_is_not_taken_for_a_power_cut(tmp_path: Path) -> None:
    """Setting the chip back behind a later commit would give back PIN tries and purchases: it is dead instead."""
    path = tmp_path / "card.chip"
    storage = CardStorage(path)
    storage.create({"pin/tries": b"\3"})
    storage.open()
    first = path.stat().st_size
    for tries in (b"\2", b"\1", b"\0"):
        storage.commit({"pin/tries": tries})
    storage.close()
    good = path.read_bytes()
    for at in (first + 3, first + 20, len(good) // 2):
        path.write_bytes(good[:at] + bytes([good[at] ^ 0x40]) + good[at + 1 :])
        assert code_of(lambda: content_of(path)) is Code.CHIP_STORAGE_DAMAGED
    missing = frame(1, {"a": b"1"}) + frame(3, {"a": b"3"})
    assert code_of(lambda: read_frames(missing, "x")) is Code.CHIP_STORAGE_DAMAGED
    path.write_bytes(b"")
    assert code_of(lambda: content_of(path)) is Code.CHIP_STORAGE_DAMAGED


def test_a_long_journal_is_replaced_and_a_cut_while_it_is_replaced_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage_module, "_JOURNAL_SLACK", 200)
    path = tmp_path / "card.chip"
    storage = CardStorage(path)
    storage.create({"n": b"\0", "photo": bytes(100)})
    storage.open()
    sizes, before = [], b""
    for number in range(1, 60):
        before = path.read_bytes() if path.stat().st_size > 700 else before
        storage.commit({"n": bytes([number])})
        sizes.append(path.stat().st_size)
    storage.close()
    assert max(sizes) < 1200
    assert any(later < earlier for earlier, later in itertools.pairwise(sizes))
    after = path.read_bytes()
    old = read_frames(before, "x")[0]
    beside = path.with_name(path.name + ".new")
    for cut in range(0, len(after), 7):
        path.write_bytes(before)
        beside.write_bytes(after[:cut])
        assert content_of(path) == old
        assert not beside.exists()


@pytest.mark.parametrize("written", [0, 1, 17, 40])
def test_power_that_fails_inside_the_write_leaves_the_old_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: int
) -> None:
    path = tmp_path / "card.chip"
    storage = CardStorage(path)
    storage.create({"a": b"1"})
    storage.open()
    real = os.pwrite

    def cut(file: int, data: bytes, at: int) -> int:
        real(file, data[:written], at)
        raise PowerCutError

    with monkeypatch.context() as patch:
        patch.setattr(storage_module.os, "pwrite", cut)
        with pytest.raises(PowerCutError):
            storage.commit({"a": b"2", "b": bytes(30)})
    storage.close()
    assert content_of(path) == {"a": b"1"}


def test_a_disk_that_refuses_leaves_the_chip_as_it_was_and_working(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "card.chip"
    storage = CardStorage(path)
    storage.create({"a": b"1"})
    storage.open()

    def full(file: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(storage_module.os, "fdatasync", full)
        assert code_of(lambda: storage.commit({"a": b"2"})) is Code.CHIP_STORAGE_FAILED
    storage.commit({"b": b"3"})
    storage.close()
    assert content_of(path) == {"a": b"1", "b": b"3"}


def test_a_journal_that_cannot_be_replaced_stays_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage_module, "_JOURNAL_SLACK", 0)
    path = tmp_path / "card.chip"
    storage = CardStorage(path)
    storage.create({"n": b"\0"})
    storage.open()

    def no_room(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", no_room)
    for number in range(20):
        storage.commit({"n": bytes([number])})
    storage.close()
    monkeypatch.undo()
    assert content_of(path) == {"n": bytes([19])}
    assert [entry.name for entry in tmp_path.iterdir()] == ["card.chip"]


def test_a_chip_that_cannot_take_back_a_failed_write_writes_nothing_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "card.chip"
    storage = CardStorage(path)
    storage.create({"a": b"1"})
    storage.open()

    def broken(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(storage_module.os, "fdatasync", broken)
        patch.setattr(storage_module.os, "ftruncate", broken)
        assert code_of(lambda: storage.commit({"a": b"2"})) is Code.CHIP_STORAGE_FAILED
    assert code_of(lambda: storage.commit({"a": b"3"})) is Code.CHIP_STORAGE_FAILED
    assert storage.open()["a"] in (b"1", b"2")
    storage.close()


def test_places_where_no_chip_can_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert code_of(lambda: CardStorage(tmp_path / "file" / "card.chip").create({})) is Code.CHIP_STORAGE_FAILED
    assert code_of(CardStorage(tmp_path).open) is Code.CHIP_STORAGE_FAILED
    path = tmp_path / "card.chip"
    CardStorage(path).create({"a": b"1"})

    def unreadable(*_: object) -> bytes:
        raise OSError(5, "Input/output error")

    storage = CardStorage(path)
    with monkeypatch.context() as patch:
        patch.setattr(storage_module.os, "pread", unreadable)
        assert code_of(storage.open) is Code.CHIP_STORAGE_FAILED
    assert storage.open() == {"a": b"1"}
    storage.close()


def test_a_file_that_is_replaced_while_it_is_taken_is_taken_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, other = tmp_path / "card.chip", tmp_path / "other.chip"
    CardStorage(path).create({"a": b"old"})
    CardStorage(other).create({"a": b"new"})
    real = storage_module.fcntl.flock

    def flock(file: int, how: int) -> None:
        real(file, how)
        if other.exists():
            other.replace(path)

    monkeypatch.setattr(storage_module.fcntl, "flock", flock)
    storage = CardStorage(path)
    assert storage.open() == {"a": b"new"}
    storage.close()


def test_a_dropped_card_lets_go_of_its_chip(tmp_path: Path) -> None:
    path = tmp_path / "card.chip"
    storage = CardStorage(path)
    storage.create({"a": b"1"})
    storage.open()
    del storage
    gc.collect()
    assert content_of(path) == {"a": b"1"}


def test_only_the_owner_can_read_a_chip(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "card.chip"
    CardStorage(path).create({"key": b"secret"})
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("kind", ["disk", "memory"])
def test_a_chip_is_in_one_reader_at_a_time(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "card.chip"
    memory = MemoryStorage()

    def holder() -> Storage:
        return CardStorage(path) if kind == "disk" else memory

    assert code_of(lambda: holder().open()) is Code.CHIP_STORAGE_ABSENT
    first = holder()
    first.create({"a": b"1"})
    assert code_of(lambda: holder().create({"a": b"2"})) is Code.CHIP_STORAGE_EXISTS
    assert code_of(lambda: first.commit({"a": b"2"})) is Code.CHIP_STORAGE_FAILED
    assert first.open() == {"a": b"1"}
    assert code_of(lambda: holder().open()) is Code.CHIP_STORAGE_IN_USE
    assert code_of(first.open) is Code.CHIP_STORAGE_IN_USE
    first.close()
    first.close()
    second = holder()
    assert second.open() == {"a": b"1"}
    second.commit({"a": None, "b": b"2"})
    second.close()
    assert holder().open() == {"b": b"2"}
