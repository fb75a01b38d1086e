"""Keys entered in parts: by XOR and by shares, each part checked, and never half done (H5, K6)."""

from __future__ import annotations

import itertools
import json
import os
import secrets
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.custodians import Custodian, Local, enter

from sheka.equipment.encryption_machine import components
from sheka.equipment.encryption_machine.launch import start_machine
from sheka.equipment.encryption_machine.model import Usage, Verb
from sheka.equipment.encryption_machine.rights import Caller, Rights
from sheka.foundation.crypto import shamir
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.crypto.kcv import check_value
from sheka.foundation.crypto.mac import command_mac
from sheka.foundation.crypto.tdes import adjust_parity
from sheka.foundation.refusals import Code, Refused

SECRET = b"the caller's secret of 32 bytes."
ALGORITHMS = pytest.mark.parametrize("kind", list(Algorithm), ids=lambda one: one.name)


def xor(*values: bytes) -> bytes:
    total = 0
    for value in values:
        total ^= int.from_bytes(value, "big")
    return total.to_bytes(16, "big")


def written(value: bytes) -> bytes:
    return value.hex(" ", 2).upper().encode()


def refused(code: Code, work: Callable[[], Any]) -> Refused:
    with pytest.raises(Refused) as refusal:
        work()
    assert refusal.value.code is code
    return refusal.value


@pytest.fixture
def engine(local: Callable[..., Local]) -> Local:
    return local(b"s" * 32)


@pytest.mark.req("H5")
@pytest.mark.req("K6")
@ALGORITHMS
def test_three_parts_by_xor_make_the_key_that_their_owners_expect(engine: Local, kind: Algorithm) -> None:
    parts = [secrets.token_bytes(16) for _ in range(3)]
    key = xor(*parts) if kind is Algorithm.SM4 else adjust_parity(xor(*parts))
    ref = engine.begin_components("MAC key", kind, Usage.MAC, 2, "460000", "xor", 3)
    for number, part in enumerate(parts, 1):
        assert enter(engine, ref, number, written(part)) == check_value(kind, part).hex().upper()
    joint = check_value(kind, key).hex().upper()
    info = engine.finish_components(ref, joint.lower())
    assert (info.origin, info.check_value, info.version, info.owner) == ("entered", joint, 2, "460000")
    (mac,) = engine.machine.call(engine.caller, Verb.MACS, [info.ref, None, batch(b"m"), None]).items()
    assert mac == command_mac(kind, key, b"m")
    refused(Code.MACHINE_COMPONENTS_UNKNOWN, lambda: engine.finish_components(ref))


def batch(*items: bytes) -> Any:
    from sheka.equipment.encryption_machine.wire import Batch

    return Batch.of(items)


@pytest.mark.req("K6")
@pytest.mark.parametrize("chosen", list(itertools.combinations((1, 2, 3, 4), 3)), ids=str)
def test_any_three_of_four_shares_make_the_same_key(engine: Local, chosen: tuple[int, ...]) -> None:
    key = bytes(range(16))
    shares = shamir.split(key, 3, 4)
    ref = engine.begin_components("root", Algorithm.SM4, Usage.DIVERSIFY, scheme="shamir", parts=4, threshold=3)
    for count, number in enumerate(chosen):
        facts = refused(Code.MACHINE_COMPONENTS_MISSING, lambda: engine.finish_components(ref)).facts
        assert facts == {"entered": count, "needed": 3}
        enter(engine, ref, number, shares[number - 1])
    assert engine.finish_components(ref).check_value == check_value(Algorithm.SM4, key).hex().upper()


@pytest.mark.req("K6")
def test_a_share_beyond_the_threshold_must_agree(engine: Local) -> None:
    shares = shamir.split(secrets.token_bytes(16), 2, 3)
    ref = engine.begin_components("root", Algorithm.SM4, Usage.DIVERSIFY, scheme="shamir", parts=3, threshold=2)
    enter(engine, ref, 1, shares[0])
    enter(engine, ref, 2, shares[1])
    enter(engine, ref, 3, secrets.token_bytes(16))
    refused(Code.MACHINE_COMPONENT_WRONG, lambda: engine.finish_components(ref))
    assert engine.info.keys == 0


@pytest.mark.req("K6")
@ALGORITHMS
@pytest.mark.parametrize(("scheme", "parts", "threshold"), [("xor", 2, 0), ("shamir", 3, 2)])
def test_parts_made_for_custodians_join_to_the_check_value_in_the_log(
    engine: Local, kind: Algorithm, scheme: str, parts: int, threshold: int
) -> None:
    people = [Custodian() for _ in range(parts)]
    sealed = engine.generate_components(kind, scheme, parts, threshold, [one.public for one in people])
    facts = engine.log()[-1]["facts"]
    ref = engine.begin_components("root", kind, Usage.DIVERSIFY, 1, "", scheme, parts, threshold)
    for number in range(1, (threshold or parts) + 1):
        text = people[number - 1].receive(sealed[number - 1])
        assert len(text.split()) == 8
        assert enter(engine, ref, number, text) == facts["check_values"][number - 1]
    assert engine.finish_components(ref, facts["check_value"]).check_value == facts["check_value"]
    kept = json.dumps(engine.log())
    for person in people:
        assert person.text == b"" or person.text.replace(b" ", b"").decode() not in kept.upper()


@pytest.mark.req("K6")
def test_another_joint_check_value_keeps_no_key_and_the_entry_can_be_cancelled(engine: Local) -> None:
    ref = engine.begin_components("root", Algorithm.SM4, Usage.DIVERSIFY)
    enter(engine, ref, 1, b"a" * 16)
    enter(engine, ref, 2, b"b" * 16)
    facts = refused(Code.MACHINE_COMPONENTS_CHECK, lambda: engine.finish_components(ref, "00000000")).facts
    assert facts["expected"] == "00000000"
    assert engine.info.keys == 0
    values = list(engine.machine._inside.components._entries[ref].entered.values())
    engine.cancel_components(ref)
    assert values == [bytes(16)] * 2
    refused(Code.MACHINE_COMPONENTS_UNKNOWN, lambda: engine.cancel_components(ref))
    assert engine.begin_components("root", Algorithm.SM4, Usage.DIVERSIFY) != ref


@pytest.mark.parametrize(
    ("part", "text", "code"),
    [
        (0, b"x" * 16, Code.MACHINE_COMPONENT_PART),
        (3, b"x" * 16, Code.MACHINE_COMPONENT_PART),
        (1, b"y" * 16, Code.MACHINE_COMPONENT_PART),
        (2, b"x" * 15, Code.MACHINE_COMPONENT_WRONG),
        (2, b"31" * 17, Code.MACHINE_COMPONENT_WRONG),
        (2, b"", Code.MACHINE_COMPONENT_WRONG),
        (2, bytes(16), Code.MACHINE_COMPONENT_WRONG),
        (2, b"00" * 16, Code.MACHINE_COMPONENT_WRONG),
    ],
)
def test_a_part_that_cannot_be_is_refused_and_the_others_stay(
    engine: Local, part: int, text: bytes, code: Code
) -> None:
    ref = engine.begin_components("root", Algorithm.SM4, Usage.DIVERSIFY)
    enter(engine, ref, 1, b"a" * 16)
    refused(code, lambda: enter(engine, ref, part, text))
    enter(engine, ref, 2, b"b" * 16)
    assert engine.finish_components(ref)


@pytest.mark.parametrize(
    ("kind", "first", "second"),
    [
        (Algorithm.SM4, b"a" * 16, b"a" * 16),  # the same part twice cancels out
        (Algorithm.TDES, b"a" * 16, b"b" * 16),  # both halves of the key are the same: single DES
    ],
)
def test_a_weak_joint_key_is_refused(engine: Local, kind: Algorithm, first: bytes, second: bytes) -> None:
    ref = engine.begin_components("root", kind, Usage.DIVERSIFY)
    enter(engine, ref, 1, first)
    enter(engine, ref, 2, second)
    refused(Code.MACHINE_COMPONENT_WRONG, lambda: engine.finish_components(ref))
    assert engine.info.keys == 0


@pytest.mark.parametrize(
    ("scheme", "parts", "threshold"), [("xor", 3, 2), ("xor", 1, 0), ("shamir", 3, 1), ("and", 2, 2), ("xor", 17, 0)]
)
def test_a_scheme_that_is_none_is_refused(engine: Local, scheme: str, parts: int, threshold: int) -> None:
    refused(
        Code.MACHINE_SHARING_BAD,
        lambda: engine.begin_components("k", Algorithm.SM4, Usage.MAC, 1, "", scheme, parts, threshold),
    )


def test_a_key_that_could_not_be_kept_is_refused_before_anybody_enters(engine: Local) -> None:
    engine.machine.call(engine.caller, Verb.GENERATE, ["there", 3, "MAC", 1, "", 0])
    refused(Code.MACHINE_KEY_EXISTS, lambda: engine.begin_components("there", Algorithm.SM4, Usage.MAC))
    refused(Code.MACHINE_KEY_NAMING, lambda: engine.begin_components("", Algorithm.SM4, Usage.MAC))
    refused(Code.MACHINE_KEY_NAMING, lambda: engine.begin_components("m", Algorithm.SM4, Usage.MAC, movable=True))
    for number in range(components.MOST):
        engine.begin_components(f"key {number}", Algorithm.SM4, Usage.MAC)
    refused(Code.MACHINE_ENTRIES_FULL, lambda: engine.begin_components("one more", Algorithm.SM4, Usage.MAC))


@pytest.mark.req("K6")
def test_a_caller_enters_only_for_keys_that_it_may_touch(engine: Local) -> None:
    ref = engine.begin_components("root", Algorithm.SM4, Usage.DIVERSIFY, owner="460000")
    engine.caller = Caller("haikou", Rights.of(Verb, owners=["460100"]))
    refused(Code.MACHINE_OWNER_DENIED, lambda: enter(engine, ref, 1, b"a" * 16))
    refused(Code.MACHINE_OWNER_DENIED, lambda: engine.cancel_components(ref))
    refused(Code.MACHINE_OWNER_DENIED, lambda: engine.begin_components("k", Algorithm.SM4, Usage.MAC, owner="x"))


@pytest.mark.req("K6")
def test_an_entry_expires_and_its_parts_are_wiped(engine: Local) -> None:
    desk = engine.machine._inside.components
    desk._seconds = 0.15
    ref = engine.begin_components("root", Algorithm.SM4, Usage.DIVERSIFY)
    enter(engine, ref, 1, b"abcdefghabcdefgh")
    kept = desk._entries[ref].entered[1]
    until = time.monotonic() + 5
    while desk._entries and time.monotonic() < until:
        time.sleep(0.02)
    assert (desk._entries, kept) == ({}, bytes(16))
    refused(Code.MACHINE_COMPONENTS_UNKNOWN, lambda: enter(engine, ref, 2, b"b" * 16))
    assert engine.log()[-1]["verb"] == "COMPONENTS_EXPIRED"


@pytest.mark.req("K6")
def test_entries_begun_later_do_not_keep_an_older_one(engine: Local) -> None:
    desk = engine.machine._inside.components
    desk._seconds = 0.2
    first = engine.begin_components("first", Algorithm.SM4, Usage.MAC)
    enter(engine, first, 1, b"abcdefghabcdefgh")
    kept = desk._entries[first].entered[1]
    desk._seconds = 60.0
    second = engine.begin_components("second", Algorithm.SM4, Usage.MAC)
    until = time.monotonic() + 5
    while first in desk._entries and time.monotonic() < until:
        time.sleep(0.02)
    assert (list(desk._entries), kept) == ([second], bytes(16))


@pytest.mark.req("K6")
def test_a_movable_root_may_leave_and_any_other_stays(engine: Local) -> None:
    """What a national PSAM or a key mother card needs (K2, K8)."""
    call = engine.machine.call
    kek = call(engine.caller, Verb.GENERATE, ["kek", 3, "WRAP", 1, "", 0, 0]).ref
    for origin, movable in itertools.product(("generated", "entered"), (False, True)):
        name = f"{origin} {movable}"
        if origin == "generated":
            info = call(engine.caller, Verb.GENERATE, [name, 3, "DIVERSIFY", 1, "", 1, int(movable)])
        else:
            ref = engine.begin_components(name, Algorithm.SM4, Usage.DIVERSIFY, movable=movable)
            enter(engine, ref, 1, b"a" * 16)
            enter(engine, ref, 2, name.encode().ljust(16)[:16])
            info = engine.finish_components(ref)
        assert (info.origin, info.movable) == (origin, movable)

        def load(ref: str = info.ref) -> Any:
            return call(
                engine.caller, Verb.WRAP_FOR_CHIP, [[ref], b"\x01", b"\x01", b"", kek, b"46010017", b"12345678"]
            )

        if movable:
            assert load().count == 1
        else:
            refused(Code.MACHINE_KEY_STAYS, load)
    engine.restart(b"s" * 32)
    assert sum(info.movable for info in engine.machine.call(engine.caller, Verb.LIST_KEYS, [])) == 2


@pytest.mark.req("K6")
def test_a_kill_in_the_middle_of_an_entry_loses_the_entry_and_no_key(tmp_path: Path) -> None:
    handle = start_machine(tmp_path, callers={"console": SECRET})
    with handle.client("console") as engine:
        kept = engine.generate("kept", Algorithm.SM4, Usage.MAC)
        ref = engine.begin_components("root", Algorithm.SM4, Usage.DIVERSIFY)
        enter(engine, ref, 1, b"a" * 16)
        os.kill(handle.process.pid, signal.SIGKILL)
        handle.stop()
        handle = start_machine(tmp_path, callers={"console": SECRET})
        assert engine.list_keys() == [kept]
        refused(Code.MACHINE_COMPONENTS_UNKNOWN, lambda: enter(engine, ref, 2, b"b" * 16))
        again = engine.begin_components("root", Algorithm.SM4, Usage.DIVERSIFY)
        enter(engine, again, 1, b"a" * 16)
        enter(engine, again, 2, b"b" * 16)
        made = engine.finish_components(again)
        os.kill(handle.process.pid, signal.SIGKILL)
        handle.stop()
        handle = start_machine(tmp_path, callers={"console": SECRET})
        assert engine.list_keys() == [kept, made]
        assert engine.verify_log().ok
    assert handle.stop() == 0
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or b"61" * 16 not in path.read_bytes()
