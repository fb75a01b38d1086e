"""Many callers at once: every one gets its own answer, none waits for a stranger, and the limit on lines holds (H5)."""

from __future__ import annotations

import asyncio
import multiprocessing
import secrets
import signal
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import uvloop

from sheka.equipment.encryption_machine.aclient import AsyncEncryptionMachine
from sheka.equipment.encryption_machine.addresses import Address
from sheka.equipment.encryption_machine.client import EncryptionMachine
from sheka.equipment.encryption_machine.launch import MachineHandle, start_machine
from sheka.equipment.encryption_machine.model import Usage
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.crypto.mac import command_mac
from sheka.foundation.refusals import Code, Refused

SECRET = b"the caller's secret of 32 bytes."
LIMIT = 4


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MachineHandle]:
    handle = start_machine(tmp_path_factory.mktemp("crowd"), callers={"tester": SECRET})
    yield handle
    assert handle.stop() == 0


def stopped(handle: MachineHandle) -> None:
    """Hold the process: it is there and says nothing."""
    handle.process.send_signal(signal.SIGSTOP)
    while Path(f"/proc/{handle.process.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "T":
        time.sleep(0.01)


RUN = pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
Run = Callable[[Coroutine[Any, Any, None]], None]


def answers_are_right(machine: EncryptionMachine, known: Any, turns: int) -> None:
    for turn in range(turns):
        messages = [secrets.token_bytes(turn % 30) for _ in range(1 + turn % 5)]
        expected = [command_mac(Algorithm.SM4, known.key, message) for message in messages]
        assert machine.macs(known.ref, None, messages) == expected


@pytest.mark.req("H5")
def test_threads_share_one_client_and_many_clients_share_the_machine(crowded: MachineHandle, plant: Any) -> None:
    with crowded.client("tester") as machine:
        known = plant(machine, Algorithm.SM4, Usage.MAC)
        with ThreadPoolExecutor(6) as pool:
            for done in [pool.submit(answers_are_right, machine, known, 60) for _ in range(6)]:
                done.result()

        def alone() -> None:
            with crowded.client("tester") as own:
                answers_are_right(own, known, 60)

        with ThreadPoolExecutor(6) as pool:
            for done in [pool.submit(alone) for _ in range(6)]:
                done.result()


@RUN
@pytest.mark.req("H5")
def test_hundreds_of_requests_under_way_on_one_asyncio_line(run: Run, crowded: MachineHandle, plant: Any) -> None:
    with crowded.client("tester") as machine:
        known = plant(machine, Algorithm.SM4, Usage.MAC)

    async def main() -> None:
        async with AsyncEncryptionMachine(crowded.address, "tester", SECRET) as machine:
            messages = [secrets.token_bytes(number % 64) for number in range(600)]
            found = await asyncio.gather(*(machine.macs(known.ref, None, [message]) for message in messages))
            assert found == [[command_mac(Algorithm.SM4, known.key, message)] for message in messages]
            late = asyncio.create_task(machine.check_values_raw(known.ref, bytes(80_000)))
            await asyncio.sleep(0)
            late.cancel()
            with pytest.raises(asyncio.CancelledError):
                await late
            assert await machine.macs(known.ref, None, [b"after"]) == [command_mac(Algorithm.SM4, known.key, b"after")]
            refused, right = await asyncio.gather(
                machine.key("nothing"), machine.key(known.ref), return_exceptions=True
            )
            assert isinstance(refused, Refused)
            assert right == known.info

    run(main())


def test_a_large_batch_does_not_hold_up_the_others(crowded: MachineHandle, plant: Any) -> None:
    with crowded.client("tester") as machine, crowded.client("tester") as busy:
        known = plant(machine, Algorithm.TDES, Usage.AUTHENTICATE)
        factors = secrets.token_bytes(8 * 200_000)
        worker = threading.Thread(target=busy.check_values_raw, args=(known.ref, factors))
        worker.start()
        longest, answered = 0.0, 0
        while worker.is_alive():
            start = time.perf_counter()
            machine.key(known.ref)
            longest, answered = max(longest, time.perf_counter() - start), answered + 1
        worker.join()
    assert answered > 3
    assert longest < 1.0


def test_names_race_and_one_wins(crowded: MachineHandle, name: str) -> None:
    def attempt() -> bool:
        with crowded.client("tester") as machine:
            try:
                machine.generate(name, Algorithm.SM4, Usage.MAC)
            except Refused as refusal:
                assert refusal.code is Code.MACHINE_KEY_EXISTS
                return False
            return True

    with ThreadPoolExecutor(8) as pool:
        won = [done.result() for done in [pool.submit(attempt) for _ in range(8)]]
    assert won.count(True) == 1
    with crowded.client("tester") as machine:
        assert [info.name for info in machine.list_keys()].count(name) == 1
        assert machine.verify_log().ok


def test_a_line_too_many_is_told_so_and_later_lines_are_served(tmp_path: Path) -> None:
    handle = start_machine(tmp_path, callers={"tester": SECRET}, max_connections=LIMIT)
    clients = [handle.client("tester") for _ in range(LIMIT)]
    try:
        for client in clients:
            client.describe()
        with handle.client("tester") as late:
            with pytest.raises(Refused) as refusal:
                late.describe()
            assert refusal.value.code is Code.MACHINE_BUSY
            assert refusal.value.facts["limit"] == str(LIMIT)
            clients.pop().close()
            until = time.monotonic() + 10
            while True:
                try:
                    assert late.describe()
                    break
                except Refused as refused:
                    assert refused.code is Code.MACHINE_BUSY
                    assert time.monotonic() < until
    finally:
        for client in clients:
            client.close()
    assert handle.stop() == 0


def in_a_fork(machine: EncryptionMachine, ref: str, answers: Any) -> None:
    answers.put(machine.key(ref).ref)


def test_a_forked_worker_opens_its_own_line(crowded: MachineHandle, name: str) -> None:
    with crowded.client("tester") as machine:
        info = machine.generate(name, Algorithm.SM4, Usage.MAC)
        fork = multiprocessing.get_context("fork")
        answers = fork.Queue()
        worker = fork.Process(target=in_a_fork, args=(machine, info.ref, answers))
        worker.start()
        assert answers.get(timeout=20) == info.ref
        worker.join(20)
        assert machine.key(info.ref) == info


def test_requests_under_way_are_answered_before_a_stop(tmp_path: Path, plant: Any) -> None:
    handle = start_machine(tmp_path, callers={"tester": SECRET})
    with handle.client("tester") as machine:
        known = plant(machine, Algorithm.TDES, Usage.AUTHENTICATE)
        found: list[bytes] = []
        worker = threading.Thread(
            target=lambda: found.append(machine.check_values_raw(known.ref, secrets.token_bytes(8 * 300_000)))
        )
        worker.start()
        time.sleep(0.1)
        assert handle.stop() == 0
        worker.join(20)
    assert len(found) == 1
    assert len(found[0]) == 3 * 300_000


@RUN
def test_the_asyncio_client_says_when_nobody_answers_and_comes_back(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        handle = start_machine(tmp_path, callers={"tester": SECRET})
        async with AsyncEncryptionMachine(handle.address, "tester", SECRET) as machine:
            before = await machine.describe()
            handle.process.kill()
            handle.process.wait(10)
            for attempt in (machine.describe(), machine.generate("key", Algorithm.SM4, Usage.MAC)):
                with pytest.raises(Refused) as refusal:
                    await attempt
                assert refusal.value.code is Code.MACHINE_UNREACHABLE
            again = start_machine(tmp_path, callers={"tester": SECRET})
            assert (await machine.describe()).fingerprint == before.fingerprint
            stopped(again)
            async with AsyncEncryptionMachine(handle.address, "tester", SECRET, timeout=0.3) as hasty:
                with pytest.raises(Refused) as silent:
                    await hasty.describe()
                assert silent.value.code is Code.MACHINE_UNREACHABLE
            again.process.send_signal(signal.SIGCONT)
            assert await machine.peers() == []
            handle.stop()
            assert again.stop() == 0

    run(main())


def test_a_silent_machine_is_given_up_after_the_time_out(tmp_path: Path) -> None:
    handle = start_machine(tmp_path, callers={"tester": SECRET})
    with EncryptionMachine(handle.address, "tester", SECRET, timeout=0.3) as machine:
        machine.describe()
        stopped(handle)
        start = time.monotonic()
        with pytest.raises(Refused) as refusal:
            machine.describe()
        assert refusal.value.code is Code.MACHINE_UNREACHABLE
        assert time.monotonic() - start < 2
        handle.process.send_signal(signal.SIGCONT)
        assert machine.describe()
    assert Address.parse(handle.address).kind == "unix"
    assert handle.stop() == 0
