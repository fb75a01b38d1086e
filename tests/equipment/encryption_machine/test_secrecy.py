"""No key in clear anywhere that a file, a log or an answer reaches (design rule 8, K6)."""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sheka.equipment.encryption_machine.hygiene import wipe
from sheka.equipment.encryption_machine.launch import start_machine
from sheka.equipment.encryption_machine.model import Usage
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.crypto.diversify import diversify
from sheka.foundation.refusals import Refused

SECRET = b"the caller's secret of 32 bytes."
SEALING = b"a sealing secret that nobody writes down"


def forms(key: bytes) -> list[bytes]:
    """How a key could stand in a file: whole, by halves, hex, base64."""
    return [
        key,
        key[:8],
        key[8:],
        key.hex().encode(),
        key.hex().upper().encode(),
        key[:8].hex().encode(),
        base64.b64encode(key)[:20],
        repr(key).encode()[2:-1],
    ]


@pytest.mark.req("K6")
def test_planted_and_derived_keys_are_in_no_file(tmp_path: Path, plant: Any) -> None:
    factor = b"46010017"
    secret_values: list[bytes] = [SEALING, SEALING.hex().encode()]
    handle = start_machine(tmp_path, callers={"tester": SECRET}, sealing_secret=SEALING)
    with handle.client("tester") as machine:
        for algorithm in Algorithm:
            root = plant(machine, algorithm, Usage.DIVERSIFY)
            kek = plant(machine, algorithm, Usage.WRAP)
            city = machine.derive(root.ref, factor, owner="460100", usage=Usage.AUTHENTICATE)
            child = diversify(algorithm, root.key, factor)
            card = diversify(algorithm, child, factor)
            machine.check_values(city.ref, [factor] * 200)
            machine.internal_authentication(city.ref, [factor], [factor])
            machine.wrap_for_chips([city.ref], [factor], kek.ref, [factor])
            with pytest.raises(Refused):
                machine.macs(city.ref, None, [child])
            gone = plant(machine, algorithm, Usage.MAC)
            machine.destroy(gone.ref)
            for key in (root.key, kek.key, child, card, gone.key, diversify(algorithm, kek.key, factor)):
                secret_values += forms(key)
    assert handle.stop() == 0
    found = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(found) > 10
    for path in found:
        content = path.read_bytes()
        for value in secret_values:
            assert value not in content, path


@pytest.mark.req("K6")
def test_no_verb_answers_a_key_or_a_sub_key_in_clear(unix: Any, plant: Any) -> None:
    """Everything that the machine says about a key, searched for the key, its sub-keys and its halves."""
    factor = b"46010017"
    pair = factor + bytes(byte ^ 0xFF for byte in factor)
    for algorithm in Algorithm:
        for usage in Usage:
            known = plant(unix, algorithm, usage, diversified=True)
            child = diversify(algorithm, known.key, factor)
            answers: list[Any] = [unix.key(known.ref), unix.list_keys(), unix.describe(), unix.log(1, 1000)]
            kek = plant(unix, algorithm, Usage.WRAP)
            for call in (
                lambda: unix.check_values(known.ref, [factor]),  # noqa: B023
                lambda: unix.cryptograms(known.ref, None, [pair]),  # noqa: B023
                lambda: unix.cryptograms(known.ref, [factor], [pair]),  # noqa: B023
                lambda: unix.macs(known.ref, None, [b""], [pair[:8] if algorithm == 1 else pair]),  # noqa: B023
                lambda: unix.internal_authentication(known.ref, [factor], [factor]),  # noqa: B023
                lambda: unix.external_authentication(known.ref, [factor], [factor]),  # noqa: B023
                lambda: unix.card_authentication_codes(known.ref, [factor], [pair[:12]]),  # noqa: B023
                lambda: unix.wrap_for_chips([known.ref], [factor], kek.ref, [factor]),  # noqa: B023
                lambda: unix.wrap_for_chip([known.ref], [1], [1], factor, kek.ref, factor, factor),  # noqa: B023
                lambda: unix.wrap_diversified_raw(known.ref, factor, kek.ref),  # noqa: B023
            ):
                try:
                    answers.append(call())
                except Refused as refusal:
                    answers.append(str(refusal))
            said = repr(answers)
            for key in (known.key, child):
                for value in (key[:8], key[8:]):
                    assert repr(value)[2:-1] not in said
                    assert value.hex() not in said.lower()


def test_the_process_can_be_neither_dumped_nor_traced() -> None:
    found = subprocess.run(
        [
            sys.executable,
            "-c",
            "import ctypes, os, resource\n"
            "from sheka.equipment.encryption_machine.hygiene import harden_process\n"
            "harden_process()\n"
            "print(ctypes.CDLL(None).prctl(3), resource.getrlimit(resource.RLIMIT_CORE), oct(os.umask(0)))",
        ],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(Path(__file__).resolve().parents[3] / "src")},
    )
    assert found.stdout.split("\n")[0] == "0 (0, 0) 0o77"


def test_the_running_machine_leaves_no_core(unix_process: Any) -> None:
    limits = Path(f"/proc/{unix_process.process.pid}/limits").read_text()
    (core,) = [line for line in limits.splitlines() if line.startswith("Max core file size")]
    assert core.split()[4:6] == ["0", "0"]


def test_wiping_leaves_zeros_and_spares_what_python_shares() -> None:
    key = bytes(range(1, 17))
    copy = b"".join((key, b""))  # the same object or not, both are gone
    wipe(key)
    assert key == bytes(16)
    assert copy in (bytes(16), bytes(range(1, 17)))
    wipe(b"", b"a")
    assert bytes((97,)) == b"a"
