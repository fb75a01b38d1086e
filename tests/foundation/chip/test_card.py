"""The virtual card as a thing in a reader: power, damage, its memory under power cuts, and any APDU at all (H4, C1)."""

from __future__ import annotations

import logging
import os
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sheka.foundation.chip import storage as storage_module
from sheka.foundation.chip.apdu import Command
from sheka.foundation.chip.authentication import Settlement, external_cryptogram, purchase_mac1, purchase_session_key
from sheka.foundation.chip.card import VirtualCard
from sheka.foundation.chip.memory import CardMemory, Life
from sheka.foundation.chip.profile import DEFAULT_PROFILE, CardProfile, load_profile
from sheka.foundation.chip.sample import SampleKeys, blank_chip
from sheka.foundation.chip.storage import CardStorage, MemoryStorage
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused

SSSE = bytes.fromhex("00A404000F7378312E73682EC9E7BBE1B1A3D5CF")
TERMINAL = bytes.fromhex("460100000001")


class PowerCutError(BaseException):
    """The power is gone; nothing after this line runs."""


def test_atr(terminal: Any) -> None:
    assert terminal.atr == bytes.fromhex("3B6D0000 00814A46868660 4600 00000135")
    assert terminal.profile.card_factor(terminal.atr[4:]).hex() == "8660460000000135"


def test_without_power_the_card_says_so(profile: CardProfile) -> None:
    card = blank_chip(MemoryStorage(), profile, Algorithm.SM4)
    assert card.transmit(SSSE) == bytes.fromhex("6F00")
    assert not card.powered
    assert card.life is None
    assert card.power_on()[:4] == bytes.fromhex("3B6D0000")
    assert card.powered
    card.power_off()
    card.power_off()
    assert card.transmit(SSSE) == bytes.fromhex("6F00")


def test_a_reset_forgets_the_session(terminal: Any) -> None:
    terminal.use_pin()
    terminal.select("DF01/EF05")
    terminal.reset()
    assert terminal.sw("00B2010400") == "6986"
    terminal.select("DF01")
    assert terminal.read_first("DF01/EF05") == "6982"


def test_a_chip_is_made_of_right_parts_only(profile: CardProfile) -> None:
    for serial, key in ((bytes(7), bytes(16)), (bytes(8), bytes(15))):
        with pytest.raises(Refused) as refusal:
            VirtualCard.manufacture(
                MemoryStorage(), profile, algorithm=Algorithm.SM4, chip_serial=serial, transport_key=key
            )
        assert refusal.value.code is Code.CHIP_FORMULA_INPUT


@pytest.mark.req("R7")
def test_a_damaged_chip_is_mute_and_an_absent_one_is_named(
    tmp_path: Path, insert: Callable, profile: CardProfile
) -> None:
    path = tmp_path / "card.chip"
    terminal = insert(storage=CardStorage(path, sync=False))
    terminal.card.power_off()
    data = path.read_bytes()
    path.write_bytes(data[:100] + bytes(50) + data[150:])
    assert terminal.card.power_on() == b""
    assert terminal.card.transmit(SSSE) == bytes.fromhex("6F00")
    path.unlink()
    with pytest.raises(Refused) as refusal:
        terminal.card.power_on()
    assert refusal.value.code is Code.CHIP_STORAGE_ABSENT


def test_a_chip_that_lacks_what_every_chip_has_is_mute(profile: CardProfile) -> None:
    storage = MemoryStorage()
    storage.create({"life": b"\0"})
    assert VirtualCard(profile, storage).power_on() == b""
    assert storage.open() == {"life": b"\0"}


def test_a_refused_power_on_leaves_the_card_to_its_holder(profile: CardProfile) -> None:
    storage = MemoryStorage()
    first = blank_chip(storage, profile, Algorithm.SM4)
    first.power_on()
    for _ in range(2):
        with pytest.raises(Refused) as refusal:
            VirtualCard(profile, storage).power_on()
        assert refusal.value.code is Code.CHIP_STORAGE_IN_USE
    assert first.transmit(SSSE)[0] == 0x61


def test_a_command_sees_its_own_changes_and_a_denied_one_keeps_only_its_counters() -> None:
    storage = MemoryStorage()
    storage.create({"record": b"old", "tries": b"\3", "gone": b"x"})
    memory = CardMemory(storage)
    memory.put("record", b"new")
    memory.put("gone", None)
    memory.put_always("tries", b"\2")
    assert (memory.get("record"), memory.get("gone"), memory.get("tries")) == (b"new", None, b"\2")
    memory.drop()
    assert (memory.get("record"), memory.get("gone"), memory.get("tries")) == (b"old", b"x", b"\2")
    memory.put("gone", None)
    memory.commit()
    memory.close()
    assert storage.open() == {"record": b"old", "tries": b"\2"}


def test_a_chip_of_another_layout_is_refused(tmp_path: Path, profile: CardProfile) -> None:
    other = tmp_path / "other.toml"
    other.write_text(DEFAULT_PROFILE.read_text("utf-8").replace('version = "2.0"', 'version = "2.1"', 1), "utf-8")
    storage = MemoryStorage()
    blank_chip(storage, profile, Algorithm.SM4)
    card = VirtualCard(load_profile(other), storage)
    with pytest.raises(Refused) as refusal:
        card.power_on()
    assert refusal.value.code is Code.CHIP_PROFILE_MISMATCH
    assert VirtualCard(profile, storage).power_on()


def test_a_card_on_disk_is_the_same_card_after_the_power_was_off(
    tmp_path: Path, insert: Callable, profile: CardProfile
) -> None:
    path = tmp_path / "card.chip"
    terminal = insert(storage=CardStorage(path, sync=False))
    terminal.use_pin()
    terminal.sw("0020000003000000")
    with pytest.raises(Refused) as refusal:
        VirtualCard(profile, CardStorage(path)).power_on()
    assert refusal.value.code is Code.CHIP_STORAGE_IN_USE
    terminal.card.power_off()
    again = VirtualCard(profile, CardStorage(path))
    assert again.power_on() == terminal.atr
    again.transmit(SSSE)
    assert again.transmit(bytes.fromhex("00200000")) == bytes.fromhex("63C2")
    again.power_off()


def script(terminal: Any) -> list[tuple[str, Callable[[], Any]]]:
    """Commands that change the chip, one after another, each built when its turn comes."""

    def debit() -> Command:
        terminal.use_pin()
        terminal.select("DF04")
        started = terminal.raw(Command(0x80, 0x50, 0, 0, b"\0" + TERMINAL, 8)).data
        settlement = Settlement((0, 100, 50), TERMINAL, bytes.fromhex("20260106093000"))
        key = purchase_session_key(
            terminal.algorithm, terminal.keys.card_key("DPK"), started[4:], started[:2], bytes(4)
        )
        return Command(
            0x80, 0x54, 0, 0, bytes(4) + settlement.message() + purchase_mac1(terminal.algorithm, key, settlement), 8
        )

    def append() -> Command:
        terminal.select("DF04/EF15")
        return terminal.secured(Command(0x00, 0xE2, 0, 0, bytes.fromhex("000131")), "UK2DF04")

    def photo() -> Command:
        terminal.select("SSSE/EF08")
        return terminal.secured(Command(0x00, 0xD6, 0x02, 0, os.urandom(200)), "UKSSSE")

    def change_pin() -> Command:
        terminal.select("SSSE")
        return Command(0x80, 0x5E, 1, 0, bytes.fromhex("654321FF654322"))

    def wrong_pin() -> Command:
        terminal.select("SSSE")
        return Command(0x00, 0x20, 0, 0, bytes.fromhex("000000"))

    def block() -> Command:
        terminal.select("DF02")
        terminal.authenticate("LK")
        return terminal.secured(Command(0x80, 0x1E, 0, 0), "STK")

    return [
        ("debit", debit),
        ("debit again", debit),
        ("append", append),
        ("photo", photo),
        ("change PIN", change_pin),
        ("wrong PIN", wrong_pin),
        ("block", block),
    ]


def test_a_power_cut_at_any_byte_of_any_commands_write_leaves_the_old_or_the_new_card(
    tmp_path: Path, insert: Callable, profile: CardProfile
) -> None:
    path, torn = tmp_path / "card.chip", tmp_path / "torn.chip"
    terminal = insert(storage=CardStorage(path, sync=False))
    changed = 0
    for name, build in script(terminal):
        command = build()
        before = path.read_bytes()
        old = storage_module.read_frames(before, name)[0]
        terminal.raw(command)
        after = path.read_bytes()
        new = storage_module.read_frames(after, name)[0]
        assert after.startswith(before), name
        assert old != new, name
        changed += 1
        cuts = range(len(before), len(after) + 1)
        for cut in cuts if len(cuts) < 400 else random.Random(cut_seed(name)).sample(cuts, 200):
            torn.write_bytes(after[:cut])
            storage = CardStorage(torn, sync=False)
            assert storage.open() == (new if cut == len(after) else old), name
            storage.close()
        torn.write_bytes(after[: len(after) - 1])
        card = VirtualCard(profile, CardStorage(torn, sync=False))
        assert card.power_on() == terminal.atr
        card.power_off()
    assert changed == 7


def cut_seed(name: str) -> int:
    return sum(name.encode())


@pytest.mark.parametrize("written", [0, 1, 30, 150])
def test_a_purchase_cut_in_the_middle_is_repeated_and_logged_once(
    tmp_path: Path, insert: Callable, profile: CardProfile, monkeypatch: pytest.MonkeyPatch, written: int
) -> None:
    path = tmp_path / "card.chip"
    terminal = insert(storage=CardStorage(path, sync=False))
    command = dict(script(terminal))["debit"]()
    real = os.pwrite

    def cut(file: int, data: bytes, at: int) -> int:
        real(file, data[:written], at)
        raise PowerCutError

    with monkeypatch.context() as patch:
        patch.setattr(storage_module.os, "pwrite", cut)
        with pytest.raises(PowerCutError):
            terminal.raw(command)
    terminal.card.power_off()
    terminal.card = VirtualCard(profile, CardStorage(path, sync=False))
    terminal.reset()
    terminal.select("DF04")
    assert terminal.sw(Command(0x80, 0x5A, 0, 0, b"\0\1", 8)) == "9406"
    assert terminal.sw(dict(script(terminal))["debit"]()) == "9000"
    terminal.select("DF04/EF08")
    assert terminal.raw("00B2010400").data[:2] == b"\0\1"
    assert terminal.sw("00B2020400") == "6A83"


def test_a_memory_that_cannot_be_written_changes_nothing_and_gives_no_right(
    tmp_path: Path, insert: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = insert(storage=CardStorage(tmp_path / "card.chip"))
    terminal.use_pin()

    def full(file: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(storage_module.os, "fdatasync", full)
        assert terminal.sw("0020000003654321") == "6581"
        assert terminal.sw("0020000003000000") == "6581"
    assert terminal.sw("00200000") == "63C3"
    terminal.select("DF01")
    assert terminal.read_first("DF01/EF05") == "6982"
    assert terminal.sw("0020000003654321") == "9000"


def random_apdus(count: int, seed: int, profile: CardProfile) -> list[bytes]:
    """Wholly random bytes, and commands of the card with random parameters, lengths and data."""
    source = random.Random(seed)
    known = [(cla, ins) for cla in (0x00, 0x04, 0x80, 0x84) for ins in (0xA4, 0xB2, 0xB0, 0xDC, 0xD6, 0xE2, 0x84, 0xC0)]
    known += [(0x00, 0x88), (0x00, 0x82), (0x00, 0x20), (0x80, 0x5E), (0x84, 0x24), (0x84, 0x1E), (0x84, 0x18)]
    known += [(0x84, 0x16), *profile.instructions.values()]
    fids = (
        [file.fid for file in profile.files]
        + [a.fid for a in profile.applications]
        + [a.aid for a in profile.applications]
    )
    ids = [0, 1, 2, 3, 4, 5, *(key.key_id for key in profile.keys)]
    made = []
    for _ in range(count):
        if source.random() < 0.2:
            made.append(source.randbytes(source.randrange(0, 270)))
            continue
        if source.random() < 0.05:
            made.append(bytes((source.choice((0x00, 0x04, 0x80, 0x84)), source.randrange(256), 0, 0)))
            continue
        cla, ins = source.choice(known)
        p1, p2 = source.choice((0, 0, 1, 2, 4, source.randrange(256))), source.choice((*ids, source.randrange(256)))
        if ins == 0xA4:
            p2, data = source.choice((0, 0, 0x0C, 2)), source.choice(fids)
        elif ins in (0xB2, 0xB0, 0x84, 0xC0, 0xCA):
            data = b""
        else:
            data = source.randbytes(source.choice((0, 2, 3, 4, 7, 8, 13, 16, 23, 34, source.randrange(256))))
        lc = bytes((len(data),)) if data else b""
        le = source.choice((b"", b"\0", b"\x08", b"\x12", source.randbytes(1)))
        made.append(bytes((cla, ins, p1, p2)) + lc + data + le)
    return made


def in_state(state: str, insert: Callable, profile: CardProfile, algorithm: Algorithm) -> VirtualCard:
    if state.startswith("blank"):
        card = blank_chip(MemoryStorage(), profile, algorithm)
        card.power_on()
        if state == "blank, session open":
            challenge = card.transmit(bytes.fromhex("0084000008"))[:8]
            cryptogram = external_cryptogram(algorithm, SampleKeys(algorithm).card_key("KT"), challenge)
            assert card.transmit(bytes.fromhex("0082000010") + cryptogram + challenge) == bytes.fromhex("9000")
        return card
    terminal = insert(everything=True)
    terminal.use_pin()
    if state == "blocked":
        terminal.authenticate("BK")
        assert terminal.sw(terminal.secured(Command(0x80, 0x16, 0, 0), "STK")) == "9000"
    return terminal.card  # type: ignore[no-any-return]


@pytest.mark.req("H4")
@pytest.mark.parametrize(
    ("state", "count"),
    [("in use", 10_000), ("blank", 10_001), ("blank, session open", 10_002), ("blocked", 10_003)],
)
def test_no_apdu_crashes_the_card(
    state: str,
    count: int,
    insert: Callable,
    profile: CardProfile,
    algorithm: Algorithm,
    caplog: pytest.LogCaptureFixture,
) -> None:
    card = in_state(state, insert, profile, algorithm)
    seen = set()
    with caplog.at_level(logging.WARNING):
        for apdu in random_apdus(count, count, profile):
            answer = card.transmit(apdu)
            assert 2 <= len(answer) <= 258
            assert answer[-2:] != bytes.fromhex("6F00"), apdu.hex()
            seen.add(answer[-2:].hex())
    assert not caplog.records
    assert {"6d00", "6e00", "6700"} <= seen
    assert card.life is {"in use": Life.IN_USE, "blocked": Life.BLOCKED}.get(state, Life.BLANK)
    assert card.power_on()[:4] == bytes.fromhex("3B6D0000")


def test_an_inner_failure_is_an_answer_and_ends_every_right(
    terminal: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    terminal.use_pin()
    terminal.select("DF01")

    def broken(_: int) -> bytes:
        raise ZeroDivisionError

    monkeypatch.setattr(terminal.card._chip, "random", broken)
    with caplog.at_level(logging.ERROR):
        assert terminal.sw("0084000008") == "6F00"
    assert "header 00840000" in caplog.text
    assert terminal.read_first("DF01/EF05") == "6982"


def test_selecting_and_reading_take_less_than_a_tenth_of_a_millisecond(terminal: Any) -> None:
    """What a batch of ten thousand cards or a busy switch loses otherwise."""
    figures = {}
    for name, apdu in (
        ("select application", SSSE + b"\0"),
        ("select file", bytes.fromhex("00A4000002EF05")),
        ("read", bytes.fromhex("00B207040B")),
    ):
        times = []
        for _ in range(300):
            start = time.perf_counter()
            answer = terminal.card.transmit(apdu)
            times.append(time.perf_counter() - start)
            assert answer[-2:] == b"\x90\x00"
        figures[name] = statistics.median(times)
    assert max(figures.values()) < 100e-6, figures
