"""Cryptography: diversification, check values, SM2, SM3 against OpenSSL, pyemv and a context per key (K1, K2).

Rates are per second of processor time, ours and the baseline's alike (`openssl speed` counts that way by default), in
rounds that alternate; a ratio is the median over neighbouring rounds.
"""

from __future__ import annotations

import secrets
import statistics
import subprocess
import warnings
from collections.abc import Callable, Sequence

import pyemv
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import SM4

from bench.figures import Figure, cpu_seconds, interleaved, paired_ratio
from sheka.foundation.crypto import kcv, sm2, tdes
from sheka.foundation.crypto.algorithms import Algorithm, block_bytes
from sheka.foundation.crypto.diversify import diversify_many
from sheka.foundation.crypto.emv import account_factor
from sheka.foundation.crypto.sm3 import sm3

FACTORS = 1_000_000
KEYS = 100_000
ONE_BY_ONE = 3_000
SIGNATURES = 300
BLOCK_BYTES = 16_384

_SPEED_NAMES = {Algorithm.SM4: "sm4-ecb", Algorithm.TDES: "des-ede3-ecb"}
_CALLS = {Algorithm.SM4: 6, Algorithm.TDES: 2}
"""Calls to a round, so that ours lasts about as long as the baseline's second."""

_OURS = {
    Algorithm.SM4: "Ours: one context of the OpenSSL inside pyca cryptography",
    Algorithm.TDES: "Ours: numpy bit planes in one process, on one core",
}
_NAMES = {Algorithm.SM4: "sm4", Algorithm.TDES: "tdes"}


def run(long: bool = False) -> list[Figure]:
    """All figures; about 30 seconds, with `long` three times the rounds."""
    rounds = 15 if long else 4
    figures: list[Figure] = []
    for algorithm in (Algorithm.SM4, Algorithm.TDES):
        figures.append(diversify_vs_openssl(algorithm, rounds))
        figures.append(diversify_vs_one_by_one(algorithm, rounds))
        figures.append(check_values_vs_context(algorithm, rounds))
    figures.extend(sm2_signatures(rounds // 2 + 1))
    figures.append(sm3_digests(rounds // 2 + 1))
    return figures


def diversify_vs_openssl(algorithm: Algorithm, rounds: int = 3, count: int = FACTORS) -> Figure:
    """Factors in, keys out, for one key: the whole call, against OpenSSL's bare cipher over as many bytes."""
    key, factors = secrets.token_bytes(16), secrets.token_bytes(8 * count)
    speed, calls = _SPEED_NAMES[algorithm], _CALLS[algorithm]

    def repeat() -> None:
        for _call in range(calls):
            diversify_many(algorithm, key, factors)

    ours, theirs = interleaved(
        rounds,
        lambda: calls * count / cpu_seconds(repeat),
        lambda: openssl_bytes(speed) / 16,
    )
    return _against(
        f"diversify.{_NAMES[algorithm]}.vs_openssl",
        "keys/s",
        ours,
        theirs,
        f"openssl speed -evp {speed}, blocks of {BLOCK_BYTES} bytes",
        f"{count:,} factors a call, {calls} calls a round, F‖¬F made on the way, 16 bytes of cipher a key; the "
        f"baseline is the bare cipher of {openssl_version()}. {_OURS[algorithm]}",
    )


def diversify_vs_one_by_one(algorithm: Algorithm, rounds: int = 3, count: int = FACTORS) -> Figure:
    """A batch of card keys against pyemv's way, a call and a cipher context for each card."""
    issuer_key = secrets.token_bytes(16)
    pans = [f"621700{number:013d}" for number in range(ONE_BY_ONE)]
    factors = b"".join(account_factor(pan, "00") for pan in pans)
    repeated = factors * -(-count // ONE_BY_ONE)
    single, batch, baseline, what = _derivations(algorithm, issuer_key, pans, factors)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if b"".join(single()) != batch(factors):
            raise AssertionError("the batch and the one-by-one derivation disagree")
        ours, theirs = interleaved(
            rounds,
            lambda: len(repeated) / 8 / cpu_seconds(lambda: batch(repeated)),
            lambda: ONE_BY_ONE / cpu_seconds(single),
        )
    detail = (
        f"{len(repeated) // 8:,} factors in one call against {ONE_BY_ONE:,} single calls, same keys checked. {what}"
    )
    return _against(f"diversify.{_NAMES[algorithm]}.vs_pyemv", "keys/s", ours, theirs, baseline, detail)


def check_values_vs_context(algorithm: Algorithm, rounds: int = 3, count: int = KEYS) -> Figure:
    """Check values of keys that are all different, against one cipher context per key."""
    keys = secrets.token_bytes(16 * count)
    zero, size = bytes(block_bytes(algorithm)), kcv.check_value_bytes(algorithm)

    def contexts() -> bytes:
        starts = range(0, len(keys), 16)
        return b"".join(_new_context(algorithm, keys[at : at + 16], zero)[:size] for at in starts)

    if contexts() != kcv.check_values_many(algorithm, keys):
        raise AssertionError("the batch and the contexts disagree")
    ours, theirs = interleaved(
        rounds,
        lambda: count / cpu_seconds(lambda: kcv.check_values_many(algorithm, keys)),
        lambda: count / cpu_seconds(contexts),
    )
    return _against(
        f"kcv.{_NAMES[algorithm]}.vs_context",
        "keys/s",
        ours,
        theirs,
        "one pyca cipher context per key, in a plain loop",
        f"{count:,} different keys, the same values checked; one process, one core",
    )


def sm2_signatures(rounds: int = 3, count: int = SIGNATURES) -> list[Figure]:
    """Whole signatures and verifications of a 32-byte message (Z, SM3, DER), against `openssl speed sm2`."""
    key, message = sm2.SigningKey(sm2.generate_private()), secrets.token_bytes(32)
    signature = key.sign(message)
    if not sm2.verify(key.public, message, signature):
        raise AssertionError("a good signature does not verify")
    command: list[tuple[float, float]] = []
    measures = interleaved(
        rounds,
        lambda: count / cpu_seconds(lambda: [key.sign(message) for _ in range(count)]),
        lambda: count / cpu_seconds(lambda: [sm2.verify(key.public, message, signature) for _ in range(count)]),
        lambda: command.append(openssl_sm2()) or 0.0,
    )
    detail = f"{count} calls with one key, digest with Z included; the system's OpenSSL on both sides"
    baselines = ([signs for signs, _verifies in command], [verifies for _signs, verifies in command])
    return [
        _against(f"sm2.{name}", f"{unit}/s", ours, theirs, "openssl speed sm2", detail)
        for name, unit, ours, theirs in zip(
            ("sign", "verify"), ("signatures", "verifications"), measures, baselines, strict=False
        )
    ]


def sm3_digests(rounds: int = 3, count: int = 2_000) -> Figure:
    """SM3 over 16 KiB messages, against `openssl speed`."""
    message = secrets.token_bytes(BLOCK_BYTES)
    ours, theirs = interleaved(
        rounds,
        lambda: count * BLOCK_BYTES / 1e6 / cpu_seconds(lambda: [sm3(message) for _ in range(count)]),
        lambda: openssl_bytes("sm3") / 1e6,
    )
    baseline = f"openssl speed -evp sm3, blocks of {BLOCK_BYTES} bytes"
    return _against("sm3", "MB/s", ours, theirs, baseline, f"{count:,} messages of {BLOCK_BYTES} bytes")


def openssl_bytes(algorithm: str) -> float:
    """Bytes per second of processor time by `openssl speed -evp`, one second long, over 16 KiB blocks."""
    told = _speed("-bytes", str(BLOCK_BYTES), "-evp", algorithm)
    return float(told.rsplit(":", 1)[1])


def openssl_sm2() -> tuple[float, float]:
    """Signatures and verifications per second by `openssl speed sm2`."""
    told = _speed("sm2")
    sign, verify = told.rsplit(":", 2)[1:]
    return float(sign), float(verify)


def openssl_version() -> str:
    """Such as "OpenSSL 3.0.19"."""
    done = subprocess.run(["openssl", "version"], capture_output=True, text=True, check=True)
    return " ".join(done.stdout.split()[:2])


def _speed(*options: str) -> str:
    """The last result line (+F…) of the machine-readable form of `openssl speed`."""
    command = ["openssl", "speed", "-mr", "-seconds", "1", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    return [line for line in done.stdout.splitlines() if line.startswith("+F")][-1]


def _derivations(
    algorithm: Algorithm, key: bytes, pans: Sequence[str], factors: bytes
) -> tuple[Callable[[], list[bytes]], Callable[[bytes], bytes], str, str]:
    """The one-by-one derivation of the accounts, the batch over factors, and what the two are."""

    def by_pyemv() -> list[bytes]:
        return [pyemv.kd.derive_icc_mk_a(key, pan, "00") for pan in pans]

    def by_new_contexts() -> list[bytes]:
        return [_new_context(algorithm, key, _pair(factors, at)) for at in range(len(pans))]

    def batch(given: bytes) -> bytes:
        children = diversify_many(algorithm, key, given)
        return tdes.adjust_parity(children) if algorithm is Algorithm.TDES else children

    if algorithm is Algorithm.TDES:
        return by_pyemv, batch, "pyemv.kd.derive_icc_mk_a, card by card", "EMV option A with parity on both sides"
    what = "pyemv has no SM4: the baseline does what its derive_icc_mk_a does, without the text handling"
    return by_new_contexts, batch, "pyemv's way with SM4: a new cipher context, card by card", what


def _new_context(algorithm: Algorithm, key: bytes, data: bytes) -> bytes:
    cipher = SM4(key) if algorithm is Algorithm.SM4 else TripleDES(key + key[:8])
    return Cipher(cipher, modes.ECB()).encryptor().update(data)


def _pair(factors: bytes, at: int) -> bytes:
    factor = factors[8 * at : 8 * at + 8]
    return factor + bytes(0xFF ^ value for value in factor)


def _against(
    name: str, unit: str, ours: Sequence[float], theirs: Sequence[float], baseline: str, detail: str
) -> Figure:
    rate, other = statistics.median(ours), statistics.median(theirs)
    counted = f"{detail}. Median of {len(ours)} alternating rounds per processor second; baseline {other:,.4g} {unit}."
    return Figure(name, rate, unit, paired_ratio(ours, theirs), baseline, counted)
