"""SM2: what was signed verifies, what was changed does not, and nothing malformed is ever let through."""

from __future__ import annotations

import ctypes
import gc
import threading
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sheka.foundation.crypto import libcrypto, sm2, sm2_exchange
from sheka.foundation.refusals import Code, Refused

STANDARD_PRIVATE = bytes.fromhex("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8")
STANDARD_PUBLIC = bytes.fromhex(
    "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
    "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
)
STANDARD_SIGNATURE = bytes.fromhex(
    "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"
    "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"
)
MODEST = settings(max_examples=25, deadline=None)
TEXTS = st.binary(min_size=1, max_size=100)


def flip(data: bytes, bit: int) -> bytes:
    """`data` with one bit turned over."""
    return bytes(value ^ (0x80 >> bit % 8 if at == bit // 8 else 0) for at, value in enumerate(data))


def refused(code: Code) -> pytest.RaisesExc[Refused]:
    return pytest.raises(Refused, check=lambda refusal: refusal.code is code)


def test_the_standards_signature_verifies() -> None:
    """GB/T 32918.5-2017 annex A.2: key, message "message digest" and signature."""
    assert sm2.public_of(STANDARD_PRIVATE) == STANDARD_PUBLIC
    assert sm2.verify(STANDARD_PUBLIC, b"message digest", STANDARD_SIGNATURE)
    assert not sm2.verify(STANDARD_PUBLIC, b"message digest", STANDARD_SIGNATURE, identity=b"another identity")


@pytest.mark.req("C1")
@MODEST
@given(TEXTS, st.data())
def test_a_changed_bit_breaks_the_signature(message: bytes, data: st.DataObject) -> None:
    """An approval or an envelope that was altered on its way must not count."""
    signature = sm2.sign(STANDARD_PRIVATE, message)
    assert len(signature) == 64
    assert sm2.verify(STANDARD_PUBLIC, message, signature)
    assert not sm2.verify(STANDARD_PUBLIC, message, flip(signature, data.draw(st.integers(0, 511))))
    assert not sm2.verify(STANDARD_PUBLIC, flip(message, data.draw(st.integers(0, 8 * len(message) - 1))), signature)
    assert not sm2.verify(sm2.public_of(sm2.generate_private()), message, signature)


@MODEST
@given(TEXTS, st.data())
def test_a_changed_bit_closes_the_ciphertext(message: bytes, data: st.DataObject) -> None:
    sealed = sm2.encrypt(STANDARD_PUBLIC, message)
    assert sm2.decrypt(STANDARD_PRIVATE, sealed) == message
    assert sm2.encrypt(STANDARD_PUBLIC, message) != sealed
    with refused(Code.CRYPTO_CIPHERTEXT):
        sm2.decrypt(STANDARD_PRIVATE, flip(sealed, data.draw(st.integers(0, 8 * len(sealed) - 1))))
    with refused(Code.CRYPTO_CIPHERTEXT):
        sm2.decrypt(sm2.generate_private(), sealed)


@MODEST
@given(TEXTS)
def test_der_and_plain_forms_go_both_ways(message: bytes) -> None:
    signature = sm2.sign(STANDARD_PRIVATE, message)
    assert sm2.signature_from_der(sm2.signature_to_der(signature)) == signature
    sealed = sm2.encrypt(STANDARD_PUBLIC, message)
    assert sm2.ciphertext_from_der(sm2.ciphertext_to_der(sealed)) == sealed


def test_short_numbers_keep_their_places() -> None:
    """r and s are padded to 32 bytes: a small r must not shift s."""
    numbers = bytes(31) + b"\x01" + bytes(30) + b"\x80\x00"
    assert sm2.signature_to_der(numbers).hex() == "30080201010203008000"
    assert sm2.signature_from_der(sm2.signature_to_der(numbers)) == numbers


@pytest.mark.parametrize(
    ("encoded", "slip"),
    [
        ("", "nothing at all"),
        ("300602010102010100", "something follows"),
        ("30060201010201", "cut inside"),
        ("300702020001020101", "r longer than needed"),
        ("3006020181020101", "r negative"),
        ("3006020100020101", "r zero"),
        ("308106020101020101", "a length longer than needed"),
        ("3009020101020101020101", "three numbers"),
        ("3106020101020101", "not a sequence"),
        ("3003020101", "s missing"),
        ("30800201010201010000", "indefinite length"),
        ("30050201010200", "empty number"),
        ("3025020101" + "0220" + "ff" * 32, "s negative"),
        ("3026020101" + "022100" + "ff" * 32, "s beyond the order"),
    ],
)
def test_malformed_signatures_are_refused(encoded: str, slip: str) -> None:
    """A signature must have one form only, or the same approval could be replayed under two hashes."""
    with refused(Code.CRYPTO_SIGNATURE):
        sm2.signature_from_der(bytes.fromhex(encoded))
    assert sm2.signature_from_der(bytes.fromhex("3006020101020101")), slip


def test_signatures_out_of_range_never_verify() -> None:
    order, good = sm2.ORDER.to_bytes(32, "big"), bytes(31) + b"\x01"
    for signature in (bytes(64), good + bytes(32), bytes(32) + good, order + good, good + order, good, good * 3, b""):
        assert sm2.verify(STANDARD_PUBLIC, b"message", signature) is False
        with refused(Code.CRYPTO_SIGNATURE):
            sm2.signature_to_der(signature)


def test_malformed_ciphertexts_are_refused() -> None:
    sealed = sm2.encrypt(STANDARD_PUBLIC, b"secret")
    for wrong in (b"", sealed[:97], b"\x02" + sealed[1:], bytes(len(sealed))):
        with refused(Code.CRYPTO_CIPHERTEXT):
            sm2.decrypt(STANDARD_PRIVATE, wrong)
    encoded = sm2.ciphertext_to_der(sealed)
    for wrong in (b"", encoded[:-1], encoded + b"\x00", b"\x31" + encoded[1:]):
        with refused(Code.CRYPTO_CIPHERTEXT):
            sm2.ciphertext_from_der(wrong)
    for wrong in (sealed[:97], b"\x02" + sealed[1:]):
        with refused(Code.CRYPTO_CIPHERTEXT):
            sm2.ciphertext_to_der(wrong)


def test_empty_text_and_endless_identity_are_refused() -> None:
    with refused(Code.CRYPTO_INPUT_LIMIT):
        sm2.encrypt(STANDARD_PUBLIC, b"")
    with refused(Code.CRYPTO_INPUT_LIMIT):
        sm2.sign(STANDARD_PRIVATE, b"text", identity=bytes(8192))


@pytest.mark.parametrize("private", [b"", bytes(31), bytes(33), bytes(32), sm2.ORDER.to_bytes(32, "big"), b"\xff" * 32])
def test_impossible_private_keys_are_refused(private: bytes) -> None:
    for call in (sm2.public_of, sm2.SigningKey, lambda key: sm2.decrypt(key, bytes(200))):
        with refused(Code.CRYPTO_SM2_KEY):
            call(private)


def test_the_largest_private_key_works() -> None:
    private = (sm2.ORDER - 2).to_bytes(32, "big")
    assert sm2.verify(sm2.public_of(private), b"edge", sm2.sign(private, b"edge"))


@pytest.mark.parametrize(
    "public",
    [
        b"",
        bytes(65),
        STANDARD_PUBLIC[:-1],
        STANDARD_PUBLIC + b"\x00",
        flip(STANDARD_PUBLIC, 519),
        b"\x03" + STANDARD_PUBLIC[1:33],
    ],
)
def test_points_off_the_curve_are_refused(public: bytes) -> None:
    """A point of another curve would give the private key away, bit by bit."""
    for call in (
        lambda: sm2.verify(public, b"message", STANDARD_SIGNATURE),
        lambda: sm2.encrypt(public, b"message"),
        lambda: sm2.need_public(public),
    ):
        with refused(Code.CRYPTO_SM2_KEY):
            call()


def test_each_signature_draws_its_own_number() -> None:
    """The same k twice would reveal the private key."""
    key = sm2.SigningKey(STANDARD_PRIVATE)
    first_halves = {key.sign(b"same text")[:32] for _ in range(20)}
    assert len(first_halves) == 20


def test_one_key_serves_many_threads() -> None:
    """The encryption machine signs for several callers at a time with its one device key."""
    key = sm2.SigningKey(STANDARD_PRIVATE)
    results: list[bool] = []

    def work() -> None:
        for number in range(20):
            text = number.to_bytes(2, "big")
            results.append(sm2.verify(key.public, text, key.sign(text)))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 80


def test_agreement_ends_in_one_key_and_notices_a_stranger() -> None:
    mine, theirs, own, other = (sm2.generate_private() for _ in range(4))
    me = sm2_exchange.Party(sm2.public_of(mine), sm2.public_of(own), b"haikou")
    them = sm2_exchange.Party(sm2.public_of(theirs), sm2.public_of(other), b"hainan")
    here = sm2_exchange.agree("initiator", mine, own, them, length=40, identity=b"haikou")
    there = sm2_exchange.agree("responder", theirs, other, me, length=40, identity=b"hainan")
    assert here.key == there.key and len(here.key) == 40
    assert (here.own, here.peer) == (there.peer, there.own)
    assert here.key.hex() not in repr(here)
    stranger = sm2_exchange.agree("responder", sm2.generate_private(), other, me, length=40, identity=b"hainan")
    assert stranger.own != here.peer and stranger.key != here.key
    bent = sm2_exchange.Party(them.public, flip(them.ephemeral, 519), b"hainan")
    with refused(Code.CRYPTO_SM2_KEY):
        sm2_exchange.agree("initiator", mine, own, bent, identity=b"haikou")


def test_a_machine_without_openssl_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """One clear sentence, not a traceback from ctypes; and never a False that looks like a wrong signature."""

    def missing(name: str) -> ctypes.CDLL:
        raise OSError(name)

    monkeypatch.setattr(ctypes, "CDLL", missing)
    libcrypto.library.cache_clear()
    sm2._verifying_key.cache_clear()
    try:
        for call in (
            lambda: sm2.public_of(STANDARD_PRIVATE),
            lambda: sm2.verify(STANDARD_PUBLIC, b"message digest", STANDARD_SIGNATURE),
        ):
            with pytest.raises(Refused) as refusal:
                call()
            assert refusal.value.code is Code.CRYPTO_LIBRARY
            assert "libcrypto.so.3" in refusal.value.todo("en")
    finally:
        monkeypatch.undo()
        libcrypto.library.cache_clear()
    assert sm2.verify(STANDARD_PUBLIC, b"message digest", STANDARD_SIGNATURE)


@pytest.mark.parametrize("name", ["OpenSSL_version_num", "OBJ_sn2nid"])
def test_an_unfit_openssl_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Too old, or built without SM2: both answer 0 or a small number here."""
    loaded = libcrypto._open()
    monkeypatch.setattr(loaded, name, lambda *_arguments: 0, raising=False)
    monkeypatch.setattr(libcrypto, "_open", lambda: loaded)
    libcrypto.library.cache_clear()
    try:
        with refused(Code.CRYPTO_LIBRARY):
            libcrypto.library()
    finally:
        monkeypatch.undo()
        libcrypto.library.cache_clear()


def test_everything_made_in_openssl_is_freed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Good or bad, an operation leaves nothing behind: a day of signing must not fill the machine's memory."""
    pairs = {
        "BN_bin2bn": "BN_clear_free",
        "EC_POINT_new": "EC_POINT_clear_free",
        "EVP_PKEY_CTX_new": "EVP_PKEY_CTX_free",
        "EVP_PKEY_CTX_new_from_name": "EVP_PKEY_CTX_free",
        "EVP_PKEY_fromdata": "EVP_PKEY_free",
    }
    lib, made, freed = libcrypto.library(), Counter[str](), Counter[str]()

    def count(name: str, counter: Counter[str], kind: str) -> None:
        function = getattr(lib, name)

        def counted(*arguments: object) -> object:
            result = function(*arguments)
            if counter is freed or result:
                counter[kind] += 1
            return result

        monkeypatch.setattr(lib, name, counted)

    for maker, free in pairs.items():
        count(maker, made, free)
    for free in sorted(set(pairs.values())):
        count(free, freed, free)
    sm2._verifying_key.cache_clear()
    key = sm2.SigningKey(STANDARD_PRIVATE)
    assert not sm2.verify(STANDARD_PUBLIC, b"other", key.sign(b"text"))
    assert sm2.decrypt(STANDARD_PRIVATE, sm2.encrypt(STANDARD_PUBLIC, b"text")) == b"text"
    for call in (
        lambda: libcrypto.Key(flip(STANDARD_PUBLIC, 300)),
        lambda: libcrypto.point_times(STANDARD_PUBLIC, sm2.ORDER.to_bytes(32, "big")),
        lambda: libcrypto.point_plus(STANDARD_PUBLIC, bytes(65)),
    ):
        with refused(Code.CRYPTO_SM2_KEY):
            call()
    monkeypatch.setattr(lib, "EVP_PKEY_fromdata", lambda *_arguments: 0)
    with refused(Code.CRYPTO_SM2_KEY):
        libcrypto.Key(STANDARD_PUBLIC)
    del key
    sm2._verifying_key.cache_clear()
    gc.collect()
    assert made == freed
    assert made.keys() == set(pairs.values()), "each kind was used"
