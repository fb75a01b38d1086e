"""No key in the memory or the core dump of the processes that use the machine (K6; web and switch as callers).

Keys whose value the test knows go into a machine. Two processes of our own work with them through the clients that the
web process and the switch use; their memory is read while they live, and their core dump after they died. The search is
proved by a value that one of them does hold.
"""

from __future__ import annotations

import json
import resource
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.custodians import Custodian, enter
from tests.support.memory import found_in, memory, needles

from sheka.equipment.encryption_machine.envelopes import seal_envelope
from sheka.equipment.encryption_machine.launch import MachineHandle, start_machine
from sheka.equipment.encryption_machine.model import KeyInfo, Usage
from sheka.foundation.crypto import sm2
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.crypto.diversify import diversify

SECRET = b"the caller's secret of 32 bytes."
FACTOR = b"46010017"
KNOWN = "a value that this process does hold"

WEB = """
import json, sys
from sheka.equipment.encryption_machine.client import EncryptionMachine
from sheka.equipment.encryption_machine.model import Usage
keys, factor, kept = json.loads(sys.argv[2]), b"46010017", []
many = [factor] * 150
machine = EncryptionMachine(sys.argv[1], "web", b"the caller's secret of 32 bytes.")
for name, ref in keys.items():
    usage, which = name.split()
    kept.append(machine.key(ref))
    kept.append(machine.macs(ref, None, many) if usage == "MAC" else machine.check_values(ref, many))
    if usage == "DIVERSIFY":
        child = machine.derive(ref, factor, name=name, owner="460100", usage=Usage.AUTHENTICATE)
        kept.append(machine.internal_authentication(child.ref, many, many))
        kept.append(machine.wrap_for_chips([child.ref], many, keys["WRAP " + which], many))
        kept.append(machine.export_envelope(child.ref, machine.public_key()))
kept += [machine.list_keys(), machine.log(1, 1000)]
known = sys.argv[3].encode()
print("worked", flush=True)
sys.stdin.read()
"""

SWITCH = """
import asyncio, json, sys
from sheka.equipment.encryption_machine.aclient import AsyncEncryptionMachine
async def main():
    keys = json.loads(sys.argv[2])
    macs = [ref for name, ref in keys.items() if name.startswith("MAC")]
    async with AsyncEncryptionMachine(sys.argv[1], "switch", b"the caller's secret of 32 bytes.") as machine:
        kept = []
        for turn in range(20):
            answers = await machine.macs_of([(ref, b"message %d" % turn) for ref in macs] * 50)
            kept.append(await machine.verify_macs([(ref, b"message %d" % turn, mac)
                                                  for ref, mac in zip(macs * 50, answers)]))
        assert all(map(all, kept))
        known = sys.argv[3].encode()
        print("worked", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
asyncio.run(main())
"""


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[MachineHandle, dict[str, str], list[bytes]]]:
    """A machine with known keys (by envelope and by components): (machine, refs by name, values to search for)."""
    handle = start_machine(tmp_path_factory.mktemp("planted"), callers={"web": SECRET, "switch": SECRET})
    maker = sm2.generate_private()
    values: list[bytes] = []
    refs: dict[str, str] = {}
    with handle.client("web") as machine:
        machine.register_peer("maker", sm2.public_of(maker))
        machine.register_peer("itself", machine.public_key())
        for algorithm in Algorithm:
            for usage in (Usage.DIVERSIFY, Usage.MAC, Usage.WRAP):
                key, name = secrets.token_bytes(16), f"{usage} {algorithm.name}"
                info = KeyInfo("", name, algorithm, usage, 1, "000000", "")
                envelope = seal_envelope(maker, machine.public_key(), key, info)
                refs[name] = machine.import_envelope(envelope, sm2.public_of(maker)).ref
                child = diversify(algorithm, key, FACTOR)
                values += [*needles(key), *needles(child), *needles(diversify(algorithm, child, FACTOR))]
        people = [Custodian(), Custodian()]
        parts = machine.generate_components(Algorithm.SM4, "xor", 2, 2, [one.public for one in people])
        ref = machine.begin_components("entered", Algorithm.SM4, Usage.DIVERSIFY)
        joint = 0
        for number, (person, sealed) in enumerate(zip(people, parts, strict=True), 1):
            text = person.receive(sealed)
            enter(machine, ref, number, text)
            joint ^= int(text.replace(b" ", b""), 16)
            values.append(text)
        refs["DIVERSIFY entered"] = machine.finish_components(ref).ref
        refs["WRAP entered"] = refs["WRAP SM4"]
        values += needles(joint.to_bytes(16, "big"))
    yield handle, refs, values
    assert handle.stop() == 0


def caller(script: str, machine: MachineHandle, refs: dict[str, str], folder: Path) -> subprocess.Popen[str]:
    """A process that has worked with the machine and waits; it may dump core into `folder`."""
    process = subprocess.Popen(
        [sys.executable, "-c", script, machine.address, json.dumps(refs), KNOWN],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={"PYTHONPATH": str(Path(__file__).resolve().parents[3] / "src")},
        preexec_fn=dumping,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "worked\n"
    return process


@pytest.mark.req("H5")
@pytest.mark.req("K6")
@pytest.mark.parametrize("script", [WEB, SWITCH], ids=["web", "switch"])
def test_a_caller_never_holds_a_key(
    planted: tuple[MachineHandle, dict[str, str], list[bytes]], script: str, tmp_path: Path
) -> None:
    machine, refs, values = planted
    process = caller(script, machine, refs, tmp_path)
    try:
        assert found_in(memory(process.pid), [*values, KNOWN.encode()]) == {KNOWN.encode()}
        if dumps_here():
            process.send_signal(signal.SIGQUIT)
            process.wait(120)
            (core,) = tmp_path.glob("core*")
            assert found_in(iter([core.read_bytes()]), [*values, KNOWN.encode()]) == {KNOWN.encode()}
    finally:
        process.kill()
        process.communicate()


def dumping() -> None:
    """SIGQUIT ends this process with a core, also in a run that was started with the signal ignored."""
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def dumps_here() -> bool:
    """Whether a process that dies leaves its core in its own folder (Linux: kernel.core_pattern is a plain name)."""
    return Path("/proc/sys/kernel/core_pattern").read_text().strip() in ("core", "core.%p")


def test_the_search_finds_a_key_where_there_is_one(tmp_path: Path) -> None:
    """A process that holds a key in one of the forms searched for."""
    key = secrets.token_bytes(16)
    for number, form in enumerate(needles(key)):
        script = "import sys; held = bytes.fromhex(sys.argv[1])[::-1]; print(flush=True); sys.stdin.read()"
        process = subprocess.Popen(
            [sys.executable, "-c", script, form[::-1].hex()], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        process.stdout.readline()
        assert found_in(memory(process.pid), needles(key)) >= {needles(key)[number]}
        process.communicate(b"")


OWN = """
import ctypes, os, signal, sys
from sheka.equipment.encryption_machine.hygiene import harden_process
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)
hardened, said = sys.argv[1] == "hardened", os.pipe()
child = os.fork()
if not child:
    if hardened:
        harden_process()
    os.write(said[1], b".")
    signal.pause()
os.read(said[0], 1)
try:
    open(f"/proc/{child}/mem", "rb").close()
    print("read")
except PermissionError:
    print("refused")
os.kill(child, signal.SIGKILL)
"""
"""A process and another one of the same user (not root, who can read everything) that wants to read its memory."""


@pytest.mark.req("K6")
@pytest.mark.parametrize(("way", "outcome"), [("hardened", "refused"), ("as it is", "read")])
def test_a_hardened_process_cannot_be_read_by_its_own_user(way: str, outcome: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", OWN, way],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(Path(__file__).resolve().parents[3] / "src")},
        check=True,
    )
    assert done.stdout == f"{outcome}\n"


@pytest.mark.req("K6")
def test_the_machine_itself_leaves_no_core(
    planted: tuple[MachineHandle, dict[str, str], list[bytes]],
) -> None:
    pid = planted[0].process.pid
    limits = Path(f"/proc/{pid}/limits").read_text()
    (core,) = [line for line in limits.splitlines() if line.startswith("Max core file size")]
    assert core.split()[4:6] == ["0", "0"]
