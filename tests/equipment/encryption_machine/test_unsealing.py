"""t of n custodians open the machine, and nobody else (H5, K6)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.custodians import Custodian, Local, present, share_out

from sheka.equipment.encryption_machine import entries
from sheka.equipment.encryption_machine.launch import start_machine
from sheka.equipment.encryption_machine.model import Usage, Verb
from sheka.equipment.encryption_machine.sealed_entry import new_key, seal_for
from sheka.equipment.encryption_machine.shares import Share
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused

SECRET = b"the caller's secret of 32 bytes."


def refused(code: Code, work: Callable[[], Any]) -> Refused:
    with pytest.raises(Refused) as refusal:
        work()
    assert refusal.value.code is code
    return refusal.value


@pytest.mark.req("H5")
@pytest.mark.req("K6")
def test_a_process_starts_sealed_and_opens_when_the_second_of_three_comes(tmp_path: Path) -> None:
    """The whole way, with a real process: new, shared out, killed, sealed, opened, with visible progress."""
    handle = start_machine(tmp_path, callers={"console": SECRET}, custodians=True)
    with handle.client("console") as machine:
        new = machine.describe()
        assert (new.sealed, new.threshold, new.holders, new.keys, new.log_head) == (True, 0, 0, 0, "")
        assert refused(Code.MACHINE_SEALED, machine.list_keys).http == 503
        custodians = share_out(machine, 2, 3)
        assert not machine.describe().sealed
        made = machine.generate("root", Algorithm.SM4, Usage.DIVERSIFY)
        fingerprint = machine.describe().fingerprint
    handle.process.kill()
    handle.stop()
    handle = start_machine(tmp_path, callers={"console": SECRET}, custodians=True)
    with handle.client("console") as machine:
        info = machine.describe()
        assert (info.sealed, info.threshold, info.holders, info.presented, info.came) == (True, 2, 3, 0, ())
        for verb in (machine.public_key, machine.verify_log, machine.peers):
            facts = refused(Code.MACHINE_SEALED, verb).facts
            assert (facts["presented"], facts["needed"]) == ("0", "2")
        progress = present(machine, 3, custodians[2].text)
        assert (progress.presented, progress.needed, progress.sealed) == (1, 2, True)
        assert machine.describe().came == (3,)
        progress = present(machine, 1, custodians[0].text)
        assert (progress.presented, progress.needed, progress.sealed) == (2, 2, False)
        info = machine.describe()
        assert (info.sealed, info.fingerprint, info.came) == (False, fingerprint, ())
        assert machine.key(made.ref) == made
        refused(Code.MACHINE_NOT_SEALED, lambda: present(machine, 2, custodians[1].text))
        assert machine.verify_log().ok
    assert handle.stop() == 0
    for path in tmp_path.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            for custodian in custodians:
                digits = custodian.text.replace(b" ", b"")
                assert digits not in content.upper()
                assert bytes.fromhex(digits.decode())[10:42] not in content


@pytest.mark.req("K6")
@pytest.mark.parametrize("chosen", [(1, 2), (1, 3), (2, 3), (3, 2)])
def test_any_two_of_three_open_it(local: Callable[..., Local], chosen: tuple[int, int]) -> None:
    machine = local()
    custodians = share_out(machine, 2, 3)
    assert machine.seal().sealed
    for holder in chosen:
        progress = present(machine, holder, custodians[holder - 1].text)
    assert not progress.sealed


@pytest.mark.req("K6")
def test_a_wrong_share_is_named_by_its_holder_and_harms_nobody_elses(local: Callable[..., Local]) -> None:
    machine = local()
    first, second, third = share_out(machine, 3, 3)
    machine.seal()
    present(machine, 1, first.text)
    digit = b"0" if second.text[30:31] != b"0" else b"1"
    wrong = second.text[:30] + digit + second.text[31:]
    for holder, text in ((2, wrong), (2, third.text), (4, second.text), (2, b""), (2, b"zz" * 44), (2, b"\xff" * 44)):
        refusal = refused(Code.MACHINE_SHARE_WRONG, lambda: present(machine, holder, text))  # noqa: B023
        assert refusal.facts == {"holder": holder}
    assert machine.info.came == (1,)
    present(machine, 2, second.text.lower().replace(b" ", b"-"))  # as somebody may type it
    assert not present(machine, 3, third.text).sealed


@pytest.mark.req("K6")
def test_a_share_with_a_right_check_sum_and_a_wrong_value_is_still_wrong(local: Callable[..., Local]) -> None:
    machine = local()
    custodians = share_out(machine, 2, 2)
    machine.seal()
    share = Share.parse(custodians[0].text, 1)
    forged = Share(share.set, 1, bytes(byte ^ 1 for byte in share.value)).text()
    refused(Code.MACHINE_SHARE_WRONG, lambda: present(machine, 1, forged))
    stranger = Share(share.set, 9, share.value).text()
    refused(Code.MACHINE_SHARE_WRONG, lambda: present(machine, 9, stranger))


@pytest.mark.req("K6")
def test_the_same_holder_twice_counts_once(local: Callable[..., Local]) -> None:
    machine = local()
    custodians = share_out(machine, 2, 3)
    machine.seal()
    for _ in range(3):
        assert present(machine, 1, custodians[0].text).presented == 1
    assert machine.info.sealed


@pytest.mark.req("K6")
def test_sharing_out_anew_voids_the_old_shares_and_may_change_who_and_how_many(local: Callable[..., Local]) -> None:
    machine = local()
    old = share_out(machine, 2, 3)
    new = share_out(machine, 3, 4)
    machine.seal()
    assert (machine.info.threshold, machine.info.holders) == (3, 4)
    assert refused(Code.MACHINE_SHARE_VOID, lambda: present(machine, 1, old[0].text)).facts == {"holder": 1}
    for holder in (4, 2, 1):
        progress = present(machine, holder, new[holder - 1].text)
    assert not progress.sealed


@pytest.mark.req("K6")
def test_shares_that_never_arrived_change_nothing(local: Callable[..., Local]) -> None:
    """The answer of `offer_shares` is lost: the old custodians still open the machine."""
    machine = local()
    old = share_out(machine, 2, 2)
    lost = machine.offer_shares(2, [Custodian().public, Custodian().public])
    machine.restart()
    present(machine, 1, old[0].text)
    assert not present(machine, 2, old[1].text).sealed
    refused(Code.MACHINE_SHARES_NOT_OFFERED, lambda: machine.confirm_shares(lost.set))
    again = machine.offer_shares(2, [Custodian().public, Custodian().public])
    machine.seal()
    refused(Code.MACHINE_SHARES_NOT_OFFERED, lambda: machine.confirm_shares(again.set))


@pytest.mark.req("K6")
def test_a_store_moves_from_a_secret_in_a_file_to_shares(tmp_path: Path) -> None:
    handle = start_machine(tmp_path, callers={"console": SECRET})
    with handle.client("console") as machine:
        made = machine.generate("old key", Algorithm.TDES, Usage.MAC)
        refused(Code.MACHINE_SHARES_NONE, machine.seal)
        custodians = share_out(machine, 2, 2)
    assert handle.stop() == 0
    handle = start_machine(tmp_path, callers={"console": SECRET})  # the old file is still there and opens nothing
    with handle.client("console") as machine:
        assert machine.describe().sealed
        for holder in (1, 2):
            present(machine, holder, custodians[holder - 1].text)
        assert machine.list_keys() == [made]
    assert handle.stop() == 0


@pytest.mark.req("K6")
def test_shares_that_wait_too_long_are_wiped(local: Callable[..., Local], monkeypatch: pytest.MonkeyPatch) -> None:
    machine = local()
    custodians = share_out(machine, 2, 2)
    machine.machine._vault._alarm._seconds = 0.1
    machine.seal()
    gathering = machine.machine._vault._gathering
    assert gathering is not None
    present(machine, 1, custodians[0].text)
    kept = gathering._values[1]
    until = time.monotonic() + 5
    while gathering.came and time.monotonic() < until:
        time.sleep(0.02)
    assert (gathering.came, kept) == ((), bytes(32))
    machine.machine._vault._alarm._seconds = 60.0
    present(machine, 2, custodians[1].text)
    assert not present(machine, 1, custodians[0].text).sealed
    assert "UNSEAL_EXPIRED" in [entry["verb"] for entry in machine.log()]


@pytest.mark.req("K6")
def test_an_entry_key_opens_once_and_for_ten_minutes(
    local: Callable[..., Local], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = local()
    custodians = share_out(machine, 2, 2)
    machine.seal()
    key = machine.entry_key()
    sealed = seal_for(key.public_key, key.id, custodians[0].text)
    other = machine.entry_key()
    refused(Code.MACHINE_ENTRY_UNREADABLE, lambda: machine.unseal(1, other.id, sealed))  # sealed for another entry
    refused(Code.MACHINE_ENTRY_UNKNOWN, lambda: machine.unseal(1, other.id, sealed))  # and that one is used up
    machine.unseal(1, key.id, sealed)
    refused(Code.MACHINE_ENTRY_UNKNOWN, lambda: machine.unseal(1, key.id, sealed))
    late = machine.entry_key()
    clock = time.monotonic() + entries.SECONDS + 1
    monkeypatch.setattr(entries.time, "monotonic", lambda: clock)
    refused(
        Code.MACHINE_ENTRY_UNKNOWN,
        lambda: machine.unseal(2, late.id, seal_for(late.public_key, late.id, custodians[1].text)),
    )


@pytest.mark.parametrize("sealed", [b"", b"\x01" * 94, b"\x02" + bytes(200), b"\x01" * 9000, b"\x01" + b"\x04" * 120])
def test_an_entry_that_is_none_is_refused(local: Callable[..., Local], sealed: bytes) -> None:
    machine = local()
    key = machine.entry_key()
    refused(Code.MACHINE_ENTRY_UNREADABLE, lambda: machine.unseal(1, key.id, sealed))


def test_waiting_entries_have_a_limit(local: Callable[..., Local]) -> None:
    machine = local()
    for _ in range(entries.MOST):
        machine.entry_key()
    refused(Code.MACHINE_ENTRIES_FULL, machine.entry_key)


@pytest.mark.parametrize(
    ("threshold", "receivers"), [(1, 2), (3, 2), (2, 1), (2, 17), (0, 0)], ids=lambda value: str(value)
)
def test_a_sharing_that_gives_one_person_everything_is_refused(
    local: Callable[..., Local], threshold: int, receivers: int
) -> None:
    machine = local(b"s" * 32)
    keys = [new_key()[1] for _ in range(receivers)]
    refused(Code.MACHINE_SHARING_BAD, lambda: machine.share_out(threshold, keys))


def test_two_shares_for_one_receiver_are_refused(local: Callable[..., Local]) -> None:
    one = new_key()[1]
    machine = local(b"s" * 32)
    refused(Code.MACHINE_SHARING_BAD, lambda: machine.share_out(2, [one, one]))
    refused(Code.MACHINE_ENTRY_UNREADABLE, lambda: machine.share_out(2, [one, b"\x04" + bytes(64)]))
    assert machine.info.threshold == 0


@pytest.mark.req("K6")
def test_the_log_has_every_event_also_those_of_the_sealed_time(local: Callable[..., Local]) -> None:
    machine = local()
    custodians = share_out(machine, 2, 2)
    machine.seal()
    present(machine, 1, custodians[0].text)
    refused(Code.MACHINE_SHARE_WRONG, lambda: present(machine, 2, b"wrong"))
    machine.restart()
    present(machine, 1, custodians[0].text)
    present(machine, 2, custodians[1].text)
    log = machine.log()
    told = [(entry["verb"], entry["facts"].get("holder"), entry["facts"].get("refused")) for entry in log]
    assert [one for one in told if one[0] in ("SHARE_OUT", "CONFIRM_SHARES", "SEAL", "UNSEAL", "UNSEALED")] == [
        ("SHARE_OUT", None, None),
        ("CONFIRM_SHARES", None, None),
        ("SEAL", None, None),
        ("UNSEAL", 1, None),
        ("UNSEAL", 2, "MACHINE_SHARE_WRONG"),
        ("UNSEAL", 1, None),
        ("UNSEAL", 2, None),
        ("UNSEALED", None, None),
    ]
    assert log[-1]["facts"]["came"] == [1, 2]
    assert all(entry["caller"] == "console" for entry in log if entry["verb"] in ("UNSEAL", "UNSEALED", "SEAL"))
    assert machine.ask(Verb.VERIFY_LOG).ok
    assert not (machine.folder / "sealed.jsonl").exists()


@pytest.mark.req("K6")
def test_events_of_the_sealed_time_come_into_the_log_once(
    local: Callable[..., Local], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash after they were copied and before their file was emptied; and a line cut off by a crash."""
    machine = local()
    custodians = share_out(machine, 2, 2)
    machine.seal()
    present(machine, 1, custodians[0].text)
    present(machine, 2, custodians[1].text)
    saved = [entry["facts"]["event"] for entry in machine.log() if entry["verb"] == "UNSEAL"]
    lines = [
        json.dumps({"event": event, "at": "t", "caller": "console", "verb": "UNSEAL", "facts": {}}) for event in saved
    ]
    machine.seal()
    (machine.folder / "sealed.jsonl").write_text("\n".join([*lines, '{"event": "cut']) + "\n")
    present(machine, 1, custodians[0].text)
    present(machine, 2, custodians[1].text)
    events = [entry["facts"].get("event") for entry in machine.log()]
    assert [events.count(event) for event in saved] == [1, 1]
    assert [entry["verb"] for entry in machine.log()].count("UNREADABLE") == 1
