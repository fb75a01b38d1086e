"""SM2 certificates: a machine or officer is believed only along an unbroken, valid, permitted chain."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import CompletedProcess
from typing import NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from sheka.foundation.crypto import der, sm2
from sheka.foundation.crypto import sm2_certificate as certificates
from sheka.foundation.crypto.sm2_certificate import Terms
from sheka.foundation.crypto.sm2_chain import verify_chain
from sheka.foundation.refusals import Code, Refused

OpenSSL = Callable[..., CompletedProcess[bytes]]

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
YEAR = timedelta(days=365)


class World(NamedTuple):
    """A root, an authority under it and a device under that, with their private keys."""

    root: bytes
    authority: bytes
    device: bytes
    root_key: bytes
    authority_key: bytes
    device_key: bytes


def make_world() -> World:
    root_key, authority_key, device_key = (sm2.generate_private() for _ in range(3))
    subject = {"C": "CN", "O": "示例主管部门", "CN": "Example root"}
    root = certificates.self_signed_root(root_key, subject, start=NOW, end=NOW + 20 * YEAR, path_length=1)
    authority = certificates.issue(
        root,
        root_key,
        {"O": "示例省", "CN": "Example province"},
        sm2.public_of(authority_key),
        Terms(NOW, NOW + 10 * YEAR, authority=True, path_length=0),
    )
    device = certificates.issue(
        authority,
        authority_key,
        {"CN": "machine 01", "serialNumber": "460100-01"},
        sm2.public_of(device_key),
        Terms(NOW, NOW + YEAR),
    )
    return World(root, authority, device, root_key, authority_key, device_key)


WORLD = make_world()
LATER = NOW + timedelta(days=30)


def refused(code: Code) -> pytest.RaisesExc[Refused]:
    return pytest.raises(Refused, check=lambda refusal: refusal.code is code)


@pytest.mark.req("K4")
def test_the_chain_leads_from_device_to_root() -> None:
    chain = verify_chain(WORLD.device, [WORLD.authority], [WORLD.root], at=LATER)
    assert [certificate.encoded for certificate in chain] == [WORLD.device, WORLD.authority, WORLD.root]
    leaf = chain[0]
    assert leaf.public == sm2.public_of(WORLD.device_key)
    assert "machine 01" in leaf.subject and leaf.may_sign and not leaf.may_encipher
    assert not (leaf.is_authority or leaf.may_sign_certificates)
    assert (leaf.start, leaf.end) == (NOW, NOW + YEAR)
    assert chain[1].is_authority and chain[1].path_length == 0
    signature = sm2.sign(WORLD.device_key, b"protocol")
    assert sm2.verify(leaf.public, b"protocol", signature)


def test_a_root_proves_itself() -> None:
    assert len(verify_chain(WORLD.root, [], [WORLD.root], at=LATER)) == 1


def test_order_and_surplus_do_not_matter() -> None:
    other = make_world()
    between = [other.authority, other.root, WORLD.authority, WORLD.device]
    assert len(verify_chain(WORLD.device, between, [other.root, WORLD.root], at=LATER)) == 3


@pytest.mark.parametrize("place", range(8))
def test_no_bit_of_a_certificate_can_be_changed(place: int) -> None:
    """Name, dates, key, rights, signature: every bit is covered, and ends in a refusal, never in another error."""
    for bit in range(place, 8 * len(WORLD.device), 8):
        check_changed(bit)


def check_changed(bit: int) -> None:
    """One bit of the device's certificate turned over."""
    changed = bytes(value ^ (0x80 >> bit % 8 if at == bit // 8 else 0) for at, value in enumerate(WORLD.device))
    with pytest.raises(Refused) as refusal:
        verify_chain(changed, [WORLD.authority], [WORLD.root], at=LATER)
    assert 2030 <= refusal.value.number <= 2033


@settings(max_examples=150)
@given(st.integers(0, 2**16), st.integers(0, 4), st.binary(max_size=4))
def test_garbled_certificates_end_in_a_refusal(place: int, gone: int, instead: bytes) -> None:
    """What comes over a line may be anything; no other exception may reach a user."""
    at = place % len(WORLD.device)
    garbled = WORLD.device[:at] + instead + WORLD.device[at + gone :]
    if garbled == WORLD.device:
        return
    with pytest.raises(Refused) as refusal:
        verify_chain(garbled, [WORLD.authority], [WORLD.root], at=LATER)
    assert 2030 <= refusal.value.number <= 2033


@pytest.mark.parametrize("at", [NOW - timedelta(seconds=1), NOW + YEAR + timedelta(seconds=1), NOW + 11 * YEAR])
def test_outside_its_dates_a_certificate_is_nothing(at: datetime) -> None:
    with refused(Code.CRYPTO_CERTIFICATE_DATE):
        verify_chain(WORLD.device, [WORLD.authority], [WORLD.root], at=at)


def test_an_expired_authority_ends_those_below_it() -> None:
    """Also where the leaf itself would still be valid."""
    key, leaf_key = sm2.generate_private(), sm2.generate_private()
    short = certificates.self_signed_root(key, {"CN": "Short"}, start=NOW, end=NOW + YEAR)
    long = certificates.self_signed_root(key, {"CN": "Short"}, start=NOW, end=NOW + 9 * YEAR)
    leaf = certificates.issue(long, key, {"CN": "leaf"}, sm2.public_of(leaf_key), Terms(NOW, NOW + 5 * YEAR))
    with refused(Code.CRYPTO_CERTIFICATE_DATE):
        verify_chain(leaf, [], [short], at=NOW + 2 * YEAR)
    assert verify_chain(leaf, [], [short, long], at=NOW + 2 * YEAR)[-1].encoded == long


def test_without_a_path_to_a_trusted_root_nothing_is_believed() -> None:
    other = make_world()
    for others, roots in (
        ([], [WORLD.root]),
        ([WORLD.authority], []),
        ([WORLD.authority, WORLD.root], []),
    ):
        with refused(Code.CRYPTO_CERTIFICATE_CHAIN):
            verify_chain(WORLD.device, others, roots, at=LATER)
    with pytest.raises(Refused) as refusal:
        verify_chain(WORLD.device, [WORLD.authority], [other.root], at=LATER)
    assert refusal.value.code in (Code.CRYPTO_CERTIFICATE_CHAIN, Code.CRYPTO_CERTIFICATE_SIGNATURE)


def test_an_impostor_with_the_same_name_is_found_out() -> None:
    """Same names, other keys: without key ids only the signature tells."""
    impostor = make_world()
    loaded = certificates.parse(WORLD.device)
    assert not loaded.signed_by(certificates.parse(impostor.authority).public)
    with pytest.raises(Refused):
        verify_chain(WORLD.device, [impostor.authority], [impostor.root], at=LATER)


def test_a_device_may_not_issue() -> None:
    """Otherwise every card reader could make encryption machines."""
    with refused(Code.CRYPTO_CERTIFICATE_CHAIN):
        certificates.issue(
            WORLD.device, WORLD.device_key, {"CN": "x"}, sm2.public_of(WORLD.root_key), Terms(NOW, NOW + YEAR / 2)
        )
    with refused(Code.CRYPTO_CERTIFICATE_CHAIN):
        forged = forge_below(WORLD.device, WORLD.device_key, authority=False)
        verify_chain(forged, [WORLD.device, WORLD.authority], [WORLD.root], at=LATER)


def test_an_authority_may_not_reach_below_its_levels() -> None:
    """The province may certify devices (path length 0) but no further authorities."""
    with refused(Code.CRYPTO_CERTIFICATE_CHAIN):
        certificates.issue(
            WORLD.authority,
            WORLD.authority_key,
            {"CN": "sub"},
            sm2.public_of(WORLD.device_key),
            Terms(NOW, NOW + YEAR, authority=True),
        )
    middle_key = sm2.generate_private()
    middle = forge_below(WORLD.authority, WORLD.authority_key, authority=True, key=middle_key)
    leaf = forge_below(middle, middle_key, authority=False)
    with refused(Code.CRYPTO_CERTIFICATE_CHAIN):
        verify_chain(leaf, [middle, WORLD.authority], [WORLD.root], at=LATER)


def forge_below(issuer: bytes, issuer_key: bytes, *, authority: bool, key: bytes | None = None) -> bytes:
    """A certificate that `issue` would refuse, made by its inner parts, as a dishonest issuer would."""
    above = certificates.parse(issuer)
    public = sm2.public_of(key or sm2.generate_private())
    terms = Terms(NOW, NOW + YEAR / 2, authority=authority)
    frame = certificates._frame(
        above.subject_der, certificates._name({"CN": "forged"}), public, terms, issuer_public=above.public
    )
    return certificates._signed(issuer_key, frame)


def test_too_many_levels_end() -> None:
    key = sm2.generate_private()
    top = certificates.self_signed_root(key, {"CN": "0"}, start=NOW, end=NOW + YEAR)
    between, above, above_key = [], top, key
    for level in range(1, 9):
        below_key = sm2.generate_private()
        below = certificates.issue(
            above, above_key, {"CN": str(level)}, sm2.public_of(below_key), Terms(NOW, NOW + YEAR, authority=True)
        )
        between.append(below)
        above, above_key = below, below_key
    assert len(verify_chain(between[5], between, [top], at=LATER)) == 7
    with refused(Code.CRYPTO_CERTIFICATE_CHAIN):
        verify_chain(between[7], between, [top], at=LATER)


def test_wrong_requests_to_issue_are_refused() -> None:
    public = sm2.public_of(WORLD.device_key)
    good = Terms(NOW, NOW + YEAR)
    cases = [
        (Code.CRYPTO_CERTIFICATE_FORM, WORLD.device_key, {"CN": "x"}, public, good),
        (Code.CRYPTO_CERTIFICATE_FORM, WORLD.authority_key, {"CN": "x"}, public, Terms(NOW, NOW)),
        (Code.CRYPTO_CERTIFICATE_FORM, WORLD.authority_key, {"CN": "x"}, public, Terms(NOW, NOW + 11 * YEAR)),
        (Code.CRYPTO_CERTIFICATE_FORM, WORLD.authority_key, {"CN": "x"}, public, Terms(NOW - YEAR, NOW + YEAR)),
        (
            Code.CRYPTO_CERTIFICATE_FORM,
            WORLD.authority_key,
            {"CN": "x"},
            public,
            Terms(NOW.replace(tzinfo=None), NOW + YEAR),
        ),
        (Code.CRYPTO_CERTIFICATE_FORM, WORLD.authority_key, {}, public, good),
        (Code.CRYPTO_CERTIFICATE_FORM, WORLD.authority_key, {"DC": "x"}, public, good),
        (Code.CRYPTO_CERTIFICATE_FORM, WORLD.authority_key, {"C": "China"}, public, good),
        (Code.CRYPTO_SM2_KEY, WORLD.authority_key, {"CN": "x"}, bytes(65), good),
    ]
    for code, key, subject, wanted, terms in cases:
        with refused(code):
            certificates.issue(WORLD.authority, key, subject, wanted, terms)


def test_other_kinds_of_certificate_are_refused() -> None:
    """An ECDSA certificate, however valid, is not what the ministry's rules call for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "P-256")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(7).not_valid_before(NOW).not_valid_after(NOW + YEAR)
    encoded = builder.sign(key, SHA256()).public_bytes(Encoding.DER)
    for wrong in (encoded, b"", WORLD.device[:-1], WORLD.device + b"\x00", b"0\x00"):
        with refused(Code.CRYPTO_CERTIFICATE_FORM):
            certificates.parse(wrong)


def test_an_unknown_critical_extension_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it says may forbid exactly what we would allow."""
    genuine = certificates._extensions

    def with_policy(public: bytes, terms: Terms, issuer_public: bytes) -> bytes:
        constraint = certificates._extension(x509.InhibitAnyPolicy(0), True)
        inner = der.Reader(genuine(public, terms, issuer_public)).element(der.SEQUENCE)
        return der.encode(der.SEQUENCE, inner + constraint)

    monkeypatch.setattr(certificates, "_extensions", with_policy)
    with refused(Code.CRYPTO_CERTIFICATE_FORM):
        certificates.parse(forge_below(WORLD.authority, WORLD.authority_key, authority=False))


def test_pem_goes_both_ways() -> None:
    text = certificates.to_pem(WORLD.device)
    assert certificates.from_pem(text) == WORLD.device
    assert certificates.from_pem("bag attributes\r\n" + text.replace("\n", "\r\n")) == WORLD.device
    for wrong in ("", text + text, text.replace("M", "*", 1), text.split("-----END")[0]):
        with refused(Code.CRYPTO_CERTIFICATE_FORM):
            certificates.from_pem(wrong)


def test_serial_numbers_are_long_and_different() -> None:
    """RFC 5280: unique, positive, at most 20 bytes."""
    serials = {certificates.parse(make_world().device).serial for _ in range(5)}
    assert len(serials) == 5 and all(1 << 120 < serial < 1 << 159 for serial in serials)


def test_the_century_is_told_rightly() -> None:
    """From 2050 on the long form of the date is due: a root of 2026 for 30 years crosses it."""
    key = sm2.generate_private()
    start, end = NOW, datetime(2056, 11, 21, tzinfo=UTC)
    parsed = certificates.parse(certificates.self_signed_root(key, {"CN": "long"}, start=start, end=end))
    assert (parsed.start, parsed.end) == (start, end)


def test_openssl_verifies_our_chain(openssl: OpenSSL, tmp_path: Path) -> None:
    """Level by level: OpenSSL 3.0 forgets the SM2 identity between two levels of one run."""
    for name in ("root", "authority", "device"):
        (tmp_path / f"{name}.pem").write_text(certificates.to_pem(getattr(WORLD, name)))
    check = ["verify", "-attime", str(int(LATER.timestamp())), "-x509_strict", "-vfyopt", "distid:1234567812345678"]
    openssl(*check, "-CAfile", "root.pem", "authority.pem")
    openssl(*check, "-partial_chain", "-CAfile", "authority.pem", "device.pem")
    assert openssl(*check, "-partial_chain", "-CAfile", "root.pem", "device.pem", check=False).returncode != 0
    told = openssl("x509", "-in", "device.pem", "-noout", "-text").stdout.decode()
    assert "Signature Algorithm: SM2-with-SM3" in told and "ASN1 OID: SM2" in told


def test_we_verify_the_chain_of_openssl(openssl: OpenSSL, tmp_path: Path) -> None:
    identity = "distid:1234567812345678"
    for name in ("ca", "leaf"):
        openssl("genpkey", "-algorithm", "SM2", "-out", f"{name}.key")
    usage = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"]
    subject = ["-subj", "/C=CN/O=Peer/CN=Peer CA"]
    openssl(
        "req",
        "-new",
        "-x509",
        "-sm3",
        "-days",
        "30",
        "-key",
        "ca.key",
        "-out",
        "ca.pem",
        "-sigopt",
        identity,
        *subject,
        *usage,
    )
    openssl("req", "-new", "-sm3", "-key", "leaf.key", "-out", "leaf.csr", "-sigopt", identity, "-subj", "/CN=leaf")
    (tmp_path / "v3.cnf").write_text("basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n")
    issuing = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "v3.cnf", "-days", "20"]
    options = ["-vfyopt", identity, "-sigopt", identity, "-out", "leaf.pem"]
    openssl("x509", "-req", "-sm3", "-in", "leaf.csr", *issuing, *options)
    root, leaf = (certificates.from_pem((tmp_path / f"{name}.pem").read_text()) for name in ("ca", "leaf"))
    chain = verify_chain(leaf, [], [root], at=datetime.now(UTC) + timedelta(days=1))
    assert [certificate.subject for certificate in chain] == ["CN=leaf", "CN=Peer CA,O=Peer,C=CN"]
    with refused(Code.CRYPTO_CERTIFICATE_DATE):
        verify_chain(leaf, [], [root], at=datetime.now(UTC) + timedelta(days=25))
