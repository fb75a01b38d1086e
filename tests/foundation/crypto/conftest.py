"""What the crypto tests share: the two algorithms, and SM2 keys in the files that the openssl command reads."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from sheka.foundation.crypto import der, sm2
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.crypto.sm2_certificate import EC_PUBLIC_KEY, SM2_CURVE

settings.register_profile("busy machine", deadline=None)
settings.load_profile("busy machine")

OpenSSL = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture(params=list(Algorithm), ids=lambda algorithm: algorithm.name)
def algorithm(request: pytest.FixtureRequest) -> Algorithm:
    """Each of the card's two algorithms."""
    return Algorithm(request.param)


@pytest.fixture
def openssl(tmp_path: Path) -> OpenSSL:
    """Runs `openssl ARGUMENTS` in a folder of its own; a failure fails the test unless `check=False`."""

    def run(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[bytes]:
        done = subprocess.run(["openssl", *arguments], cwd=tmp_path, capture_output=True, timeout=30, check=False)
        assert not check or done.returncode == 0, done.stderr.decode()
        return done

    return run


@pytest.fixture
def key_files(tmp_path: Path) -> Callable[[bytes], None]:
    """Writes a private key as `private.pem` (RFC 5915) and its public key as `public.pem` into the test's folder."""

    def write(private: bytes) -> None:
        public, curve = sm2.public_of(private), der.object_id(SM2_CURVE)
        secret = der.sequence(
            der.integer(1), der.octets(private), der.encode(0xA0, curve), der.encode(0xA1, der.bits(public))
        )
        info = der.sequence(der.sequence(der.object_id(EC_PUBLIC_KEY), curve), der.bits(public))
        for name, label, encoded in (("private", "EC PRIVATE KEY", secret), ("public", "PUBLIC KEY", info)):
            body = base64.encodebytes(encoded).decode()
            (tmp_path / f"{name}.pem").write_text(f"-----BEGIN {label}-----\n{body}-----END {label}-----\n")

    return write
