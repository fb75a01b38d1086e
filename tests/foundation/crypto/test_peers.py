"""Other people's implementations, both ways: openssl and GmSSL read what we write, and we what they write."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import gmssl_pyx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sheka.foundation.crypto import mac, sm2, sm4, tdes
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.crypto.padding import pad
from sheka.foundation.crypto.sm3 import hmac_sm3, sm3

OpenSSL = Callable[..., CompletedProcess[bytes]]
IDENTITIES = [sm2.DEFAULT_ID, b"haikou@460100"]
MESSAGE = "社会保障卡".encode("gbk")

KEYS = st.binary(min_size=16, max_size=16)
TEXTS = st.binary(min_size=1, max_size=200)


def signing_options(identity: bytes) -> list[str]:
    return ["-rawin", "-digest", "sm3", "-pkeyopt", f"distid:{identity.decode()}"]


@pytest.mark.parametrize("identity", IDENTITIES)
def test_openssl_verifies_our_signature(
    openssl: OpenSSL, key_files: Callable[[bytes], None], tmp_path: Path, identity: bytes
) -> None:
    private = sm2.generate_private()
    key_files(private)
    (tmp_path / "message").write_bytes(MESSAGE)
    signature = sm2.sign(private, MESSAGE, identity=identity)
    (tmp_path / "signature").write_bytes(sm2.signature_to_der(signature))
    verify = ["pkeyutl", "-verify", "-pubin", "-inkey", "public.pem", "-in", "message", "-sigfile", "signature"]
    openssl(*verify, *signing_options(identity))
    assert openssl(*verify, *signing_options(b"someone else"), check=False).returncode != 0


@pytest.mark.parametrize("identity", IDENTITIES)
def test_we_verify_the_signature_of_openssl(
    openssl: OpenSSL, key_files: Callable[[bytes], None], tmp_path: Path, identity: bytes
) -> None:
    private = sm2.generate_private()
    key_files(private)
    (tmp_path / "message").write_bytes(MESSAGE)
    openssl(
        "pkeyutl", "-sign", "-inkey", "private.pem", "-in", "message", "-out", "signature", *signing_options(identity)
    )
    signature = sm2.signature_from_der((tmp_path / "signature").read_bytes())
    public = sm2.public_of(private)
    assert sm2.verify(public, MESSAGE, signature, identity=identity)
    assert not sm2.verify(public, MESSAGE, signature, identity=b"someone else")


def test_ciphertexts_pass_between_us_and_openssl(
    openssl: OpenSSL, key_files: Callable[[bytes], None], tmp_path: Path
) -> None:
    private = sm2.generate_private()
    key_files(private)
    (tmp_path / "ours").write_bytes(sm2.ciphertext_to_der(sm2.encrypt(sm2.public_of(private), MESSAGE)))
    assert openssl("pkeyutl", "-decrypt", "-inkey", "private.pem", "-in", "ours").stdout == MESSAGE
    (tmp_path / "message").write_bytes(MESSAGE)
    openssl("pkeyutl", "-encrypt", "-pubin", "-inkey", "public.pem", "-in", "message", "-out", "theirs")
    assert sm2.decrypt(private, sm2.ciphertext_from_der((tmp_path / "theirs").read_bytes())) == MESSAGE


def test_a_key_made_by_openssl_is_ours_too(openssl: OpenSSL, tmp_path: Path) -> None:
    openssl("genpkey", "-algorithm", "SM2", "-out", "key.pem")
    told = openssl("pkey", "-in", "key.pem", "-noout", "-text").stdout.decode()
    private, public = (
        bytes.fromhex("".join(part.split("ASN1")[0].split()).replace(":", ""))
        for part in told.split("priv:")[1].split("pub:")
    )
    assert sm2.public_of(private[-32:]) == public


@settings(max_examples=25, deadline=None)
@given(TEXTS, st.sampled_from(IDENTITIES))
def test_gmssl_and_we_read_each_others_sm2(message: bytes, identity: bytes) -> None:
    private = sm2.generate_private()
    public = sm2.public_of(private)
    signature = sm2.sign(private, message, identity=identity)
    assert gmssl_pyx.sm2_verify(public[1:], message, sm2.signature_to_der(signature), identity)
    theirs = sm2.signature_from_der(gmssl_pyx.sm2_sign(private, public[1:], message, identity))
    assert sm2.verify(public, message, theirs, identity=identity)
    assert gmssl_pyx.sm2_decrypt(private, sm2.ciphertext_to_der(sm2.encrypt(public, message))) == message
    assert sm2.decrypt(private, sm2.ciphertext_from_der(gmssl_pyx.sm2_encrypt(public[1:], message))) == message


def test_a_key_made_by_gmssl_is_ours_too() -> None:
    public, private = gmssl_pyx.sm2_key_generate()
    assert sm2.public_of(private) == b"\x04" + public


@given(KEYS, TEXTS, KEYS)
def test_gmssl_computes_the_same_sm3_and_sm4(key: bytes, text: bytes, iv: bytes) -> None:
    assert sm3(text) == gmssl_pyx.sm3_hash(text)
    assert hmac_sm3(key, text) == gmssl_pyx.sm3_hmac(key, text)
    assert sm4.ctr(key, iv, text) == gmssl_pyx.sm4_ctr_encrypt(key, iv, text)
    assert sm2.derive_key(text, 70) == gmssl_pyx.sm3_kdf(text, 70)
    fill = 16 - len(text) % 16
    assert sm4.encrypt_cbc(key, iv, text + bytes([fill]) * fill) == gmssl_pyx.sm4_cbc_padding_encrypt(key, iv, text)


@pytest.mark.parametrize("length", [1, 15, 16, 40])
def test_openssl_computes_the_same_ciphers_and_macs(openssl: OpenSSL, tmp_path: Path, length: int) -> None:
    """The system's OpenSSL is another version than the one inside pyca: both must agree with us."""
    key, text = bytes(range(16)), bytes(range(100, 100 + length))
    (tmp_path / "text").write_bytes(text)

    def command_mac(*options: str) -> str:
        return openssl("mac", "-in", "text", *options).stdout.decode().strip().lower()

    assert (
        command_mac("-cipher", "sm4-cbc", "-macopt", f"hexkey:{key.hex()}", "CMAC")
        == mac.cmac(Algorithm.SM4, key, text).hex()
    )
    assert command_mac("-digest", "sm3", "-macopt", f"hexkey:{key.hex()}", "HMAC") == hmac_sm3(key, text).hex()
    padded = pad(2, text, 8)
    (tmp_path / "padded").write_bytes(padded)
    theirs = openssl("enc", "-des-ede", "-K", key.hex(), "-nopad", "-in", "padded").stdout
    assert tdes.encrypt_ecb(key, padded) == theirs
