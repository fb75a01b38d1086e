"""The encryption machine over a PKCS#11 token, as a caller meets it (H5): SoftHSM2, 3DES.

A token of its own in a temporary folder, a machine of its own over it. SoftHSM2 computes with OpenSSL in the worker
process, so the figures say what the driver costs, not what a device can do: a device's own speed takes their place. No
SoftHSM2 on this machine: no figures.
"""

from __future__ import annotations

import os
import secrets
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.figures import Figure, interleaved, paired_ratio
from bench.machine import BATCH, openssl_bytes
from sheka.equipment.encryption_machine.client import EncryptionMachine
from sheka.equipment.encryption_machine.launch import start_machine
from sheka.equipment.encryption_machine.model import Usage
from sheka.equipment.encryption_machine.pkcs11.settings import TokenSettings
from sheka.foundation.crypto.algorithms import Algorithm

MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so")
_CALLER, _LABEL = "bench", "bench"
_SPEED_NAME = "des-ede3-ecb"


def run(long: bool = False) -> list[Figure]:
    """All figures; about 15 seconds, with `long` three times the rounds. None without SoftHSM2."""
    module = next((Path(path) for path in MODULES if Path(path).exists()), None)
    if module is None:
        return []
    with started(module) as machine:
        return measure(machine, 9 if long else 3, 0.7)


@contextmanager
def started(module: Path) -> Iterator[EncryptionMachine]:
    """A machine over a fresh token; both go with the block."""
    secret, pin = secrets.token_bytes(32), secrets.token_hex(8)
    with tempfile.TemporaryDirectory(prefix="sheka-bench-") as place:
        folder = Path(place)
        settings = _token(folder, module, pin)
        handle = start_machine(folder / "machine", callers={_CALLER: secret}, pkcs11=settings)
        try:
            with handle.client(_CALLER) as machine:
                yield machine
        finally:
            handle.stop()


def measure(machine: EncryptionMachine, rounds: int, seconds: float, count: int = BATCH) -> list[Figure]:
    """The figures on a running machine; `count` factors a call, `seconds` a round."""
    root = machine.generate("bench root", Algorithm.TDES, Usage.DIVERSIFY)
    working = machine.generate("bench working", Algorithm.TDES, Usage.AUTHENTICATE)
    kek = machine.generate("bench wrapping", Algorithm.TDES, Usage.WRAP)
    factors, few = secrets.token_bytes(8 * count), secrets.token_bytes(8 * max(1, count // 20))
    ours, theirs = interleaved(
        rounds,
        lambda: _rate(seconds, lambda: machine.wrap_diversified_raw(working.ref, factors, kek.ref)) * count,
        lambda: openssl_bytes(_SPEED_NAME, 16 * count),
    )
    levels = [_rate(seconds, lambda: machine.check_values_raw(root.ref, few)) * len(few) / 8 for _ in range(rounds)]
    kept = [_rate(seconds, lambda: _derive(machine, root.ref)) for _ in range(rounds)]
    single = machine.generate("bench single", Algorithm.TDES, Usage.MAC)
    macs = [1e6 / _rate(seconds, lambda: machine.macs(single.ref, None, [bytes(120)])) for _ in range(rounds)]
    told = f"SoftHSM2, one worker. Median of {rounds} rounds"
    return [
        Figure(
            "machine.pkcs11.tdes.diversify",
            statistics.median(ours),
            "keys/s",
            paired_ratio([32 * rate for rate in ours], theirs),
            f"openssl speed -elapsed -evp {_SPEED_NAME}, {16 * count:,} bytes a call",
            f"wrap_diversified_raw of a working key, {count:,} factors a call, keys out under a wrapping key: two "
            f"C_Encrypt of the batch; the ratio counts the 32 bytes of cipher that a key takes. {told}",
        ),
        Figure(
            "machine.pkcs11.tdes.diversify_level",
            statistics.median(levels),
            "keys/s",
            detail=f"check_values_raw of a DIVERSIFY key, {len(few) // 8:,} factors a call: C_DeriveKey, C_WrapKey and "
            f"C_DestroyObject for each. {told}",
        ),
        Figure(
            "machine.pkcs11.tdes.derive",
            statistics.median(kept),
            "keys/s",
            detail=f"derive: a sub-key kept in the token, with its record and log entry on the disk. {told}",
        ),
        Figure(
            "machine.pkcs11.tdes.mac_p50",
            statistics.median(macs),
            "µs",
            detail=f"macs of one message of 120 bytes, one call after the other: 16 C_Encrypt each. {told}",
        ),
    ]


def _derive(machine: EncryptionMachine, root: str) -> None:
    factor = secrets.token_bytes(8)
    machine.derive(root, factor, name=factor.hex(), owner="bench", usage=Usage.AUTHENTICATE)


def _token(folder: Path, module: Path, pin: str) -> TokenSettings:
    (folder / "tokens").mkdir()
    configuration, pin_file = folder / "softhsm2.conf", folder / "pin"
    configuration.write_text(f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\n")
    environment = {"SOFTHSM2_CONF": str(configuration)}
    command = ["softhsm2-util", "--init-token", "--free", "--label", _LABEL, "--so-pin", pin, "--pin", pin]
    subprocess.run(command, env={**os.environ, **environment}, capture_output=True, check=True, timeout=30)
    pin_file.touch(mode=0o600)
    pin_file.write_text(pin)
    return TokenSettings(module, _LABEL, pin_file=pin_file, environment=environment)


def _rate(seconds: float, call: Callable[[], object]) -> float:
    """Calls per second over a round."""
    done, start = 0, time.perf_counter()
    while True:
        call()
        done += 1
        taken = time.perf_counter() - start
        if taken >= seconds:
            return done / taken
