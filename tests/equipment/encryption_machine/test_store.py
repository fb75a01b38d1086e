"""The key store keeps what it said it kept, and runs with nothing else (K6):
crashes, disks that fail, hands that meddle.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sheka.equipment.encryption_machine import files, journal, records
from sheka.equipment.encryption_machine.machine import SoftwareMachine
from sheka.equipment.encryption_machine.model import KeyInfo, LogFinding, Usage, Verb
from sheka.equipment.encryption_machine.rights import Caller
from sheka.equipment.encryption_machine.wire import Batch
from sheka.foundation.refusals import Code, Refused

Reopen = Callable[..., SoftwareMachine]


class PowerCut(BaseException):
    """The process ends here; nothing after it runs."""


def generate(machine: SoftwareMachine, caller: Caller, name: str, usage: Usage = Usage.MAC) -> KeyInfo:
    made: KeyInfo = machine.call(caller, Verb.GENERATE, [name, 3, str(usage), 1, "", 0])
    return made


def mac(machine: SoftwareMachine, caller: Caller, ref: str) -> bytes:
    found: Batch = machine.call(caller, Verb.MACS, [ref, None, Batch.of([b"message"]), None])
    return found.raw


def keys(machine: SoftwareMachine, caller: Caller) -> list[KeyInfo]:
    found: list[KeyInfo] = machine.call(caller, Verb.LIST_KEYS, [])
    return found


def verify(machine: SoftwareMachine, caller: Caller) -> LogFinding:
    found: LogFinding = machine.call(caller, Verb.VERIFY_LOG, [])
    return found


def record_of(folder: Path, ref: str) -> Path:
    return folder / "store" / "records" / f"key-{ref}.record"


@pytest.mark.req("K6")
def test_keys_peers_and_the_device_key_outlive_the_process(store: Reopen, everyone: Caller) -> None:
    machine = store()
    made = [generate(machine, everyone, f"key {number}") for number in range(5)]
    machine.call(everyone, Verb.DESTROY, [made[0].ref])
    before = [mac(machine, everyone, info.ref) for info in made[1:]]
    public, listed = machine.call(everyone, Verb.PUBLIC_KEY, []), keys(machine, everyone)
    machine.call(everyone, Verb.REGISTER_PEER, ["province", public, "460000"])
    head = machine.call(everyone, Verb.DESCRIBE, []).log_head
    machine = store()
    assert keys(machine, everyone) == listed
    assert [mac(machine, everyone, info.ref) for info in made[1:]] == before
    assert machine.call(everyone, Verb.PUBLIC_KEY, []) == public
    assert [peer.name for peer in machine.call(everyone, Verb.PEERS, [])] == ["province"]
    assert verify(machine, everyone).head == head


@pytest.mark.req("K6")
def test_another_sealing_secret_opens_nothing_and_harms_nothing(store: Reopen, everyone: Caller) -> None:
    info = generate(store(), everyone, "key")
    with pytest.raises(Refused) as refusal:
        store(b"t" * 32)
    assert refusal.value.code is Code.MACHINE_SEAL_WRONG
    assert keys(store(), everyone) == [info]


def test_one_folder_belongs_to_one_machine(store: Reopen, tmp_path: Path) -> None:
    store()
    with pytest.raises(Refused) as refusal:
        SoftwareMachine(tmp_path / "store", b"s" * 32)
    assert refusal.value.code is Code.MACHINE_FOLDER_IN_USE


STEPS = [
    (records, "write_durable", "before anything is written"),
    (journal, "write_all", "before the log entry"),
    (records, "overwrite", "after the log entry"),
    (records, "put_in_place", "before the rename"),
    (files, "sync_folder", "after the rename"),
]


@pytest.mark.req("K6")
@pytest.mark.parametrize("verb", ["generate", "destroy"])
@pytest.mark.parametrize(("module", "function", "when"), STEPS, ids=[step[2] for step in STEPS])
def test_a_power_cut_at_any_step_loses_nothing_and_doubles_nothing(
    store: Reopen,
    everyone: Caller,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    verb: str,
    module: Any,
    function: str,
    when: str,
) -> None:
    machine = store()
    kept, victim = generate(machine, everyone, "kept"), generate(machine, everyone, "victim")
    macs = mac(machine, everyone, kept.ref), mac(machine, everyone, victim.ref)
    entries = machine.call(everyone, Verb.DESCRIBE, []).log_entries

    def cut(*given: Any) -> None:
        raise PowerCut

    with monkeypatch.context() as patch:
        patch.setattr(module, function, cut)
        with pytest.raises(PowerCut):
            if verb == "generate":
                generate(machine, everyone, "new")
            else:
                machine.call(everyone, Verb.DESTROY, [victim.ref])
    machine = store()
    happened = "before anything" not in when and "before the log" not in when
    finding = verify(machine, everyone)
    assert finding.ok
    assert finding.entries == entries + happened
    found = {info.name: info for info in keys(machine, everyone)}
    assert mac(machine, everyone, kept.ref) == macs[0]
    if verb == "generate":
        assert ("new" in found) == happened
        if happened:
            assert mac(machine, everyone, found["new"].ref)
        else:
            assert generate(machine, everyone, "new")
    elif happened:
        assert found["victim"].destroyed
    else:
        assert mac(machine, everyone, victim.ref) == macs[1]
    assert not list((tmp_path / "store" / "records").glob("*.new"))


@pytest.mark.parametrize("kept", range(0, 400, 37))
def test_a_torn_log_entry_was_never_acknowledged_and_is_dropped(
    store: Reopen, everyone: Caller, tmp_path: Path, kept: int
) -> None:
    machine = store()
    info = generate(machine, everyone, "key")
    log = tmp_path / "store" / "log.jsonl"
    whole = log.read_bytes()
    with log.open("ab") as file:
        file.write(whole.splitlines()[-1][:kept])
    machine = store()
    assert keys(machine, everyone) == [info]
    assert log.read_bytes() == whole
    assert verify(machine, everyone).ok


def test_a_disk_that_fails_changes_nothing_and_says_so(
    store: Reopen, everyone: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = store()
    info = generate(machine, everyone, "key")
    before = mac(machine, everyone, info.ref)

    def full(*given: Any) -> None:
        raise OSError(28, "No space left on device")

    for module, function in ((records, "write_durable"), (journal, "write_all")):
        with monkeypatch.context() as patch:
            patch.setattr(module, function, full)
            for attempt in (
                lambda: generate(machine, everyone, "new"),
                lambda: machine.call(everyone, Verb.DESTROY, [info.ref]),
            ):
                with pytest.raises(Refused) as refusal:
                    attempt()
                assert refusal.value.code is Code.MACHINE_FOLDER_UNUSABLE
                assert "No space left" in str(refusal.value)
        assert mac(machine, everyone, info.ref) == before
    generate(machine, everyone, "new")
    machine = store()
    assert [found.name for found in keys(machine, everyone)] == ["key", "new"]
    assert verify(machine, everyone).ok


def change_record(folder: Path, refs: list[str]) -> None:
    path = record_of(folder, refs[0])
    path.write_bytes(path.read_bytes().replace(b'"MAC"', b'"WRAP"'))


def flip_secret(folder: Path, refs: list[str]) -> None:
    path = record_of(folder, refs[0])
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)


def swap_records(folder: Path, refs: list[str]) -> None:
    first, second = record_of(folder, refs[0]), record_of(folder, refs[1])
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(content)


def remove_record(folder: Path, refs: list[str]) -> None:
    record_of(folder, refs[0]).unlink()


def add_record(folder: Path, refs: list[str]) -> None:
    shutil.copy(record_of(folder, refs[0]), record_of(folder, "f" * 32))


def bring_back(folder: Path, refs: list[str]) -> None:
    shutil.copy(folder / "saved", record_of(folder, refs[2]))


def remove_seal(folder: Path, refs: list[str]) -> None:
    (folder / "store" / "seal.json").unlink()


def spoil_seal(folder: Path, refs: list[str]) -> None:
    (folder / "store" / "seal.json").write_text('{"form": 1}')


def remove_log(folder: Path, refs: list[str]) -> None:
    (folder / "store" / "log.jsonl").unlink()


def edit_log(folder: Path, refs: list[str]) -> None:
    path = folder / "store" / "log.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"caller":"tester"', b'"caller":"nobody"', 1))


def forge_log(folder: Path, refs: list[str]) -> None:
    """Change an entry and mend the chain after it, as anyone can who knows SM3 but not the store's key."""
    path = folder / "store" / "log.jsonl"
    lines, previous = [], "0" * 64
    for line in path.read_text().splitlines():
        entry = json.loads(line)
        tag = entry.pop("tag")
        entry.pop("hash")
        entry["caller"], entry["previous"] = "nobody", previous
        previous = journal._digest(entry)
        lines.append(json.dumps({**entry, "hash": previous, "tag": tag}))
    path.write_text("\n".join(lines) + "\n")


def drop_entry(folder: Path, refs: list[str]) -> None:
    path = folder / "store" / "log.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:2] + lines[3:]))


def cut_log(folder: Path, refs: list[str]) -> None:
    path = folder / "store" / "log.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:3]))


HANDS = [
    (change_record, Code.MACHINE_STORE_DAMAGED),
    (flip_secret, Code.MACHINE_STORE_DAMAGED),
    (swap_records, Code.MACHINE_STORE_DAMAGED),
    (remove_record, Code.MACHINE_STORE_DAMAGED),
    (add_record, Code.MACHINE_STORE_DAMAGED),
    (bring_back, Code.MACHINE_STORE_DAMAGED),
    (remove_seal, Code.MACHINE_STORE_DAMAGED),
    (spoil_seal, Code.MACHINE_STORE_DAMAGED),
    (remove_log, Code.MACHINE_STORE_DAMAGED),
    (cut_log, Code.MACHINE_STORE_DAMAGED),
    (edit_log, Code.MACHINE_LOG_BROKEN),
    (forge_log, Code.MACHINE_LOG_BROKEN),
    (drop_entry, Code.MACHINE_LOG_BROKEN),
]


@pytest.mark.req("K6")
@pytest.mark.parametrize(("hand", "code"), HANDS, ids=[hand[0].__name__ for hand in HANDS])
def test_a_store_that_was_meddled_with_does_not_start(
    store: Reopen, everyone: Caller, tmp_path: Path, hand: Callable[[Path, list[str]], None], code: Code
) -> None:
    machine = store()
    refs = [generate(machine, everyone, name).ref for name in ("first", "second", "destroyed")]
    shutil.copy(record_of(tmp_path, refs[2]), tmp_path / "saved")
    machine.call(everyone, Verb.DESTROY, [refs[2]])
    machine.close()
    hand(tmp_path, refs)
    with pytest.raises(Refused) as refusal:
        store()
    assert refusal.value.code is code


@pytest.mark.req("K6")
@pytest.mark.parametrize(
    ("hand", "reason"),
    [(edit_log, "content"), (forge_log, "tag"), (drop_entry, "stands in its place"), (cut_log, "end of the log")],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_the_running_machine_sees_that_its_log_was_changed(
    store: Reopen, everyone: Caller, tmp_path: Path, hand: Callable[[Path, list[str]], None], reason: str
) -> None:
    machine = store()
    for name in ("first", "second"):
        generate(machine, everyone, name)
    assert verify(machine, everyone).ok
    hand(tmp_path, [])
    finding = verify(machine, everyone)
    assert not finding.ok
    assert finding.broken_at
    assert reason in finding.reason


@pytest.mark.req("K6")
def test_entries_of_two_histories_of_one_store_do_not_mix(tmp_path: Path) -> None:
    """A restored copy lived on by itself: its entries carry good tags, yet they do not follow ours."""
    key, ours, theirs = b"k" * 32, tmp_path / "ours.jsonl", tmp_path / "theirs.jsonl"
    log = journal.Journal(ours, key)
    log.append("officer", "GENERATE", "key-1", "digest", {})
    shutil.copy(ours, theirs)
    other = journal.Journal(theirs, key)
    for log_of, target in ((log, "key-2"), (log, "key-3"), (other, "key-4"), (other, "key-5")):
        log_of.append("officer", "GENERATE", target, "digest", {})
    assert log.verify().ok and other.verify().ok
    mine, foreign = ours.read_bytes().splitlines(keepends=True), theirs.read_bytes().splitlines(keepends=True)
    ours.write_bytes(b"".join([*mine[:2], foreign[2]]))
    finding = log.verify()
    assert (finding.ok, finding.broken_at) == (False, 3)
    assert "follow" in finding.reason
    log.close()
    other.close()
    with pytest.raises(Refused) as refusal:
        journal.Journal(ours, key)
    assert refusal.value.code is Code.MACHINE_LOG_BROKEN
    assert refusal.value.facts["entry"] == 3


def test_a_destroyed_keys_block_is_gone_from_the_disk(store: Reopen, everyone: Caller, tmp_path: Path) -> None:
    machine = store()
    info = generate(machine, everyone, "key")
    path = record_of(tmp_path, info.ref)
    sealed = path.read_bytes().split(b"\n")[1]
    number = path.stat().st_ino
    held = path.open("rb")
    machine.call(everyone, Verb.DESTROY, [info.ref])
    assert path.stat().st_ino != number
    assert not any(held.read())  # the old file, still open here, holds zeros
    held.close()
    for file in (tmp_path / "store").rglob("*"):
        assert not file.is_file() or sealed not in file.read_bytes()


def test_files_are_for_the_owner_only(store: Reopen, everyone: Caller, tmp_path: Path) -> None:
    generate(store(), everyone, "key")
    for path in (tmp_path / "store").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


@pytest.mark.parametrize("place", ["/proc/sheka", "a file/store"])
def test_a_folder_that_cannot_be_written_is_one_clear_sentence(tmp_path: Path, place: str) -> None:
    (tmp_path / "a file").write_text("")
    with pytest.raises(Refused) as refusal:
        SoftwareMachine(tmp_path / place, b"s" * 32)
    assert refusal.value.code is Code.MACHINE_FOLDER_UNUSABLE
    assert place.split("/")[-1] in str(refusal.value)
