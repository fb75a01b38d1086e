"""The node's own authority for the line to institutions (S4): for a demonstration, a test, or a city that has none.

`lines/` of the node: authority.pem and authority.key (its owner's alone), switch.pem and switch.key. P-256, SHA-256.
Certificates of institutions are made here or come from elsewhere; which of them count is the registry's matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sheka.equipment.server.files import make_folder, write_private, write_whole
from sheka.foundation.refusals import Code, Refused

AUTHORITY, SWITCH = "authority", "switch"
AUTHORITY_DAYS, DAYS, RENEW_DAYS = 3650, 365, 30


def ensure_own(folder: Path, hosts: Sequence[str]) -> None:
    """The authority and the switch's certificate for `hosts`; one that ends within 30 days is made anew."""
    make_folder(folder)
    if not (folder / f"{AUTHORITY}.pem").exists():
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("Sheka line authority")
        _write(folder, AUTHORITY, key, _signed(name, name, key, key, AUTHORITY_DAYS, authority=True))
    path = folder / f"{SWITCH}.pem"
    if path.exists():
        until = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
        if until - datetime.now(UTC) > timedelta(days=RENEW_DAYS):
            return
    issue(folder, SWITCH, "switch", hosts=hosts)


def issue(
    folder: Path, file: str, common_name: str, *, days: int = DAYS, hosts: Sequence[str] = (), into: Path | None = None
) -> Path:
    """A certificate by the authority in `folder`, as `file`.pem and `file`.key in `into` (default: there). With `hosts`
    it is a server's, else a client's. `days` below zero: one that has ended. Returns the certificate's path. Raises
    Refused: LINE_AUTHORITY_MISSING, and what `make_folder` raises.
    """
    try:
        authority = x509.load_pem_x509_certificate((folder / f"{AUTHORITY}.pem").read_bytes())
        signer = serialization.load_pem_private_key((folder / f"{AUTHORITY}.key").read_bytes(), password=None)
    except FileNotFoundError:
        raise Refused(Code.LINE_AUTHORITY_MISSING, folder=folder) from None
    if not isinstance(signer, ec.EllipticCurvePrivateKey):
        raise TypeError("the authority's key is no P-256 key")
    key = ec.generate_private_key(ec.SECP256R1())
    made = _signed(_name(common_name), authority.subject, key, signer, days, hosts=hosts)
    place = into or folder
    make_folder(place)
    _write(place, file, key, made)
    return place / f"{file}.pem"


def _signed(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    days: int,
    *,
    authority: bool = False,
    hosts: Sequence[str] = (),
) -> x509.Certificate:
    now = datetime.now(UTC)
    first = now - timedelta(hours=1) if days > 0 else now + timedelta(days=days - 1)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(first)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=0 if authority else None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .add_extension(_usage(authority), critical=True)
    )
    if not authority:
        use = ExtendedKeyUsageOID.SERVER_AUTH if hosts else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = builder.add_extension(x509.ExtendedKeyUsage([use]), critical=False)
    if hosts:
        names = x509.SubjectAlternativeName([_host(host) for host in hosts])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(signer, hashes.SHA256())


def _usage(authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _write(folder: Path, file: str, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
    """Each in one step; a switch that looks between the two finds that they do not fit, and looks again."""
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_private(folder / f"{file}.key", text.decode())
    write_whole(folder / f"{file}.pem", certificate.public_bytes(serialization.Encoding.PEM).decode())
