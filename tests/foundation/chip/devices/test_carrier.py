"""A key carrier card opens to its PIN only, and its content is the old one or the new one, never half (K2, K5)."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from sheka.foundation.chip.authentication import MAC_BYTES, initial_value
from sheka.foundation.chip.devices.carrier_commands import content_digest
from sheka.foundation.chip.devices.carrier_state import ALGORITHM, BLOCK_BYTES, answer_message
from sheka.foundation.chip.devices.profile import DeviceKind, carrier_profile
from sheka.foundation.chip.storage import CardStorage
from sheka.foundation.crypto.mac import command_mac

PIN = "258036"
OLD, NEW = [b"list of the old", b"o" * 700], [b"list of the new", b"n" * 500, b"N" * 240]


def write(carrier, files):
    """The statuses of writing a content."""
    yield carrier.do("open_content")
    for number, file in enumerate(files):
        for block, at in enumerate(range(0, len(file), BLOCK_BYTES)):
            yield carrier.do("write_block", file[at : at + BLOCK_BYTES], number, block)
    yield carrier.do("close_content", content_digest(list(files)))


def read(carrier):
    """The files of the card, each answer's MAC checked."""
    files = []
    for number in range(carrier.profile.files + 1):
        content, block = b"", 0
        while (part := read_block(carrier, number, block)) is not None:
            content, block = content + part, block + 1
        if not content:
            return files
        files.append(content)
    return files


def read_block(carrier, file, block):
    challenge = carrier.challenge()
    answer = carrier.raw(carrier.secured("read_block", b"", file, block, challenge=challenge) + b"\0")
    while answer.status >> 8 == 0x61:
        answer = carrier.raw(bytes((0, 0xC0, 0, 0, answer.status & 0xFF)))
    if answer.status == 0x6A83:
        return None
    assert answer.ok, f"{answer.status:04X}"
    data, mac = answer.data[:-MAC_BYTES], answer.data[-MAC_BYTES:]
    message = answer_message(bytes((*carrier.profile.instructions["read_block"], file, block)), data)
    assert mac == command_mac(ALGORITHM, carrier.messaging, message, initial_value(ALGORITHM, challenge))
    return data


@pytest.mark.req("K5")
def test_the_initial_pin_opens_nothing_and_is_changed_first(carrier):
    assert carrier.raw("80CA010200").data == bytes.fromhex("0103C88000")
    assert carrier.verify("000000") == "6985"
    assert carrier.do("open_content") == "6982"
    assert carrier.change("000000", "000000") == "6A80"
    assert carrier.change("000000", "12345678") == carrier.change("000000", "12345F") == "6A80"
    assert carrier.change("000000", PIN) == "9000"
    assert carrier.do("open_content") == "6982", "a change is no proof"
    assert carrier.verify() == "9000"
    assert carrier.do("open_content") == "9000"
    assert carrier.raw("80CA010200").data[:2] == b"\0\3"


@pytest.mark.req("K5")
def test_three_wrong_pins_lock_the_card_for_good(carrier):
    carrier.use()
    list(write(carrier, OLD))
    assert carrier.verify("111111") == "63C2"
    assert carrier.do("read_block") == "6982", "a wrong PIN takes an earlier right one back"
    assert carrier.verify() == "9000"
    assert [carrier.verify("111111"), carrier.change("111111", "222222")] == ["63C2", "63C1"]
    carrier.chip.power_on()
    assert carrier.verify("333333") == "63C0"
    for _ in range(2):
        assert [carrier.verify(), carrier.change(PIN, "444444")] == ["6983", "6983"]
        assert carrier.do("read_block") == "6982"
        carrier.chip.power_on()


@pytest.mark.req("K5")
def test_without_the_messaging_key_there_is_no_answer_and_no_try_of_the_pin(carrier):
    carrier.use()
    challenge = carrier.challenge()
    good = carrier.secured("verify", carrier.enciphered(PIN, challenge), challenge=challenge)
    for _ in range(5):
        challenge = carrier.challenge()
        data = carrier.enciphered("111111", challenge)
        assert carrier.sw(carrier.secured("verify", data, challenge=challenge, key=bytes(16))) == "9302"
    assert carrier.sw(good) == "6984", "a recorded command is worth nothing"
    carrier.challenge()
    assert carrier.sw(good) == "9302"
    assert carrier.sw("84E00000") == "6987"
    assert carrier.raw("80CA010200").data[1] == 3
    assert carrier.sw("0020000003258036") == "6D00", "the PIN never travels in clear"


@pytest.mark.req("K5")
def test_a_content_is_written_read_replaced_and_erased(carrier):
    carrier.use()
    assert carrier.do("content_state") == "6105"
    for files in (OLD, NEW, OLD):
        assert set(write(carrier, files)) == {"9000"}
        assert read(carrier) == files
    carrier.chip.power_on()
    assert carrier.do("read_block") == "6982"
    carrier.verify()
    assert read(carrier) == OLD
    assert carrier.do("erase") == "9000"
    assert read(carrier) == []


@pytest.mark.req("K2", "K5")
def test_what_is_not_whole_never_becomes_the_content(carrier):
    carrier.use()
    list(write(carrier, OLD))
    assert carrier.do("write_block", b"x") == carrier.do("close_content", bytes(32)) == "6985"
    assert carrier.do("open_content") == "9000"
    for data, file, block, status in (
        (b"", 0, 0, "6700"),
        (b"x", 0, 1, "6B00"),
        (b"x", 201, 0, "6A84"),
        (b"x" * 240, 0, 137, "6A84"),
        (b"x", 0, 0, "9000"),
        (b"x", 0, 0, "6B00"),
        (b"x", 0, 1, "6B00"),
    ):
        assert carrier.do("write_block", data, file, block) == status, (file, block)
    assert carrier.do("close_content", bytes(32)) == "6A80"
    assert carrier.do("close_content", bytes(31)) == "6700"
    assert carrier.do("close_content", bytes(32), 1) == "6A86"
    assert read(carrier) == OLD


@pytest.mark.req("K2", "K5")
@pytest.mark.parametrize("before", [[], OLD], ids=["empty", "written"])
def test_power_cut_before_any_command_leaves_the_old_content(carrier, before):
    carrier.use()
    if before:
        list(write(carrier, before))
    for cut in range(len(list(write(carrier, NEW)))):
        if before:
            list(write(carrier, before))
        else:
            carrier.do("erase")
        steps = write(carrier, NEW)
        for _ in range(cut):
            assert next(steps) == "9000"
        carrier.chip.power_on()
        assert carrier.verify() == "9000"
        assert read(carrier) == before, cut


@pytest.mark.req("K2", "K5")
def test_power_cut_at_any_byte_of_the_disk_leaves_the_old_content_or_the_new(carrier_in, tmp_path: Path, monkeypatch):
    path = tmp_path / "one.chip"
    carrier = carrier_in(CardStorage(path, sync=False))
    carrier.use()
    list(write(carrier, OLD))
    first = path.stat().st_size
    with monkeypatch.context() as patch:
        patch.setattr(CardStorage, "scrub", lambda self: None)  # the power fails before what is old is overwritten
        assert set(write(carrier, NEW)) == {"9000"}
        carrier.chip.power_off()
    whole = path.read_bytes()
    assert len(whole) > first, "the journal was not shortened meanwhile"
    seen = set()
    for size in {*range(first, len(whole), 37), len(whole) - 1, len(whole)}:
        path.write_bytes(whole[:size])
        carrier.chip.power_on()
        assert carrier.verify() == "9000"
        found = read(carrier)
        assert found in (OLD, NEW)
        seen.add(len(found))
        carrier.chip.power_off()
    assert seen == {len(OLD), len(NEW)}


@pytest.mark.req("K5")
def test_random_commands_never_crash_it(carrier):
    carrier.use()
    list(write(carrier, OLD))
    dice = random.Random(4)
    known = [*carrier.profile.instructions.items()]
    for _ in range(10_000):
        if dice.random() < 0.3:
            name, _ = dice.choice(known)
            data = dice.randbytes(dice.choice((0, 1, 16, 32, 240)))
            apdu = carrier.secured(name, data, dice.choice((0, 0, 1, 200, 255)), dice.choice((0, 0, 1, 9)))
        elif dice.random() < 0.6:
            _, (cla, ins) = dice.choice(known)
            apdu = bytes((cla, ins)) + dice.randbytes(2) + dice.randbytes(dice.randrange(0, 30))
        else:
            apdu = dice.randbytes(dice.randrange(0, 40))
        answer = carrier.chip.transmit(apdu)
        assert len(answer) >= 2 and answer[-2:] not in (b"\x6f\x00", b"\x65\x81"), apdu.hex()
        assert carrier.messaging not in answer and b"258036" not in answer
    assert carrier.sw("00FE0000") == "6D00"
    assert carrier.sw("C0A40000") == "6E00"


@pytest.mark.parametrize("kind", [kind for kind in DeviceKind if kind is not DeviceKind.PSAM])
def test_every_kind_has_its_profile(kind):
    profile = carrier_profile(kind)
    assert (profile.kind, profile.pin.retry_limit, profile.pin.default_digits) == (kind, 3, 6)
    assert len(profile.serial(1)) == 10


@pytest.mark.req("K5")
def test_what_was_erased_or_replaced_is_not_on_the_disk_any_more(carrier_in, tmp_path: Path):
    path = tmp_path / "one.chip"
    carrier = carrier_in(CardStorage(path))
    carrier.use()
    list(write(carrier, OLD))
    assert b"o" * 240 in path.read_bytes()
    held = path.open("rb")
    with held:
        list(write(carrier, NEW))
        assert b"o" * 240 not in path.read_bytes()
        assert b"o" * 240 not in held.read(), "the old journal was overwritten before it was let go"
    assert carrier.do("erase") == "9000"
    assert b"n" * 240 not in path.read_bytes()
    assert carrier.verify() == "9000"


@pytest.mark.req("K5")
def test_an_erasure_that_was_cut_off_is_finished_at_the_next_power_on(carrier_in, tmp_path: Path, monkeypatch):
    path = tmp_path / "one.chip"
    carrier = carrier_in(CardStorage(path))
    carrier.use()
    list(write(carrier, OLD))
    with monkeypatch.context() as patch:
        patch.setattr(CardStorage, "_replace", _fails)
        assert carrier.do("erase") == "6581"
    assert b"o" * 240 in path.read_bytes()
    carrier.chip.power_on()
    assert b"o" * 240 not in path.read_bytes()
    carrier.verify()
    assert read(carrier) == []


def _fails(*_):
    raise OSError(28, "No space left on device")
