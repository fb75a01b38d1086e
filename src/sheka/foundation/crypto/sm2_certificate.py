"""SM2-with-SM3 X.509 certificates: roots, issuing, parsing (K4, K6; RFC 5280, GM/T 0015, GB/T 20518).

OpenSSL 3.0's own chain check loses the SM2 identity between two levels, and pyca signs no SM2: so the frame is encoded
here, names and extensions come from pyca `x509`, signatures from `sm2`.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import NameOID, ObjectIdentifier

from sheka.foundation.crypto import der, sm2
from sheka.foundation.crypto.sm3 import sm3
from sheka.foundation.refusals import Code, Refused

SM2_WITH_SM3 = "1.2.156.10197.1.501"
EC_PUBLIC_KEY = "1.2.840.10045.2.1"
SM2_CURVE = "1.2.156.10197.1.301"

_ALGORITHM = der.sequence(der.object_id(SM2_WITH_SM3))
_KEY_ALGORITHM = der.sequence(der.object_id(EC_PUBLIC_KEY), der.object_id(SM2_CURVE))
_NAMES = {
    "C": NameOID.COUNTRY_NAME,
    "ST": NameOID.STATE_OR_PROVINCE_NAME,
    "L": NameOID.LOCALITY_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "CN": NameOID.COMMON_NAME,
    "serialNumber": NameOID.SERIAL_NUMBER,
}
_EXPLICIT_VERSION, _EXPLICIT_EXTENSIONS = 0xA0, 0xA3
_X509_ERRORS = (
    ValueError,
    TypeError,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    Warning,  # pyca warns of values that it will refuse later; where warnings are errors, they are refused now
)
_UNDERSTOOD = {
    x509.BasicConstraints.oid,
    x509.KeyUsage.oid,
    x509.SubjectKeyIdentifier.oid,
    x509.AuthorityKeyIdentifier.oid,
    x509.ExtendedKeyUsage.oid,
}


@dataclass(frozen=True, slots=True)
class Certificate:
    """A parsed certificate. `path_length` None: no limit. Usages are of its key usage extension; dates are UTC."""

    encoded: bytes
    subject: str
    subject_der: bytes
    issuer_der: bytes
    serial: int
    start: datetime
    end: datetime
    public: bytes
    is_authority: bool
    path_length: int | None
    may_sign_certificates: bool
    may_sign: bool
    may_encipher: bool
    key_id: bytes | None
    issuer_key_id: bytes | None
    signed: bytes
    signature: bytes

    def signed_by(self, public: bytes) -> bool:
        """Whether the holder of `public` signed this certificate (identity 1234567812345678)."""
        return sm2.verify(public, self.signed, self.signature)


@dataclass(frozen=True, slots=True)
class Terms:
    """What an issuer grants: dates (aware), authority or not, how many levels below, and what the key may do."""

    start: datetime
    end: datetime
    authority: bool = False
    path_length: int | None = None
    sign: bool = True
    encipher: bool = False


def self_signed_root(
    private: bytes, subject: Mapping[str, str], *, start: datetime, end: datetime, path_length: int | None = None
) -> bytes:
    """A root: DER of a certificate that signs itself and may issue; `subject`: C, ST, L, O, OU, CN, serialNumber.

    Errors: `CRYPTO_CERTIFICATE_FORM` for an unknown name part, a naive date, or an end before the start.
    """
    terms = Terms(start, end, authority=True, path_length=path_length)
    name = _name(subject)
    public = sm2.public_of(private)
    return _signed(private, _frame(name, name, public, terms, issuer_public=public))


def issue(issuer: bytes, issuer_private: bytes, subject: Mapping[str, str], public: bytes, terms: Terms) -> bytes:
    """DER of a certificate for `public` (65 bytes), signed by the issuer, whose own certificate is `issuer` (DER).

    Refused when the issuer may not issue, its private key is another one, or its dates or levels do not cover `terms`.
    """
    above = parse(issuer)
    sm2.need_public(public)
    if above.public != sm2.public_of(issuer_private):
        raise Refused(Code.CRYPTO_CERTIFICATE_FORM, reason="the private key is not the issuer's")
    if not (above.is_authority and above.may_sign_certificates):
        raise Refused(Code.CRYPTO_CERTIFICATE_CHAIN, reason=f"{above.subject} may not issue certificates")
    if terms.authority and above.path_length == 0:
        raise Refused(Code.CRYPTO_CERTIFICATE_CHAIN, reason=f"{above.subject} may not issue to authorities")
    _need_dates(terms)
    if terms.start < above.start or terms.end > above.end:
        raise Refused(Code.CRYPTO_CERTIFICATE_FORM, reason="the dates reach beyond the issuer's own")
    return _signed(issuer_private, _frame(above.subject_der, _name(subject), public, terms, issuer_public=above.public))


def parse(encoded: bytes) -> Certificate:
    """Read a DER certificate. `CRYPTO_CERTIFICATE_FORM` unless it is exact DER, version 3, signed SM2-with-SM3, with an
    SM2 key on the curve, and without a critical extension that is not understood here. The signature is not checked."""
    try:
        signed, signature, frame = _split(encoded)
        names_and_key = _names_and_key(frame)
        loaded = x509.load_der_x509_certificate(encoded)
        if loaded.version is not x509.Version.v3:
            raise ValueError("not version 3")
        return _read(encoded, loaded, names_and_key, (signed, signature))
    except _X509_ERRORS as error:
        raise Refused(Code.CRYPTO_CERTIFICATE_FORM, reason=str(error)) from None


def to_pem(encoded: bytes) -> str:
    """The certificate in PEM (RFC 7468)."""
    text = base64.encodebytes(encoded).decode().replace("\n", "")
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""])


def from_pem(text: str) -> bytes:
    """The DER of the one certificate in a PEM text; `CRYPTO_CERTIFICATE_FORM` when there is none, or more."""
    parts = text.replace("\r", "").split("-----BEGIN CERTIFICATE-----")
    if len(parts) != 2 or "-----END CERTIFICATE-----" not in parts[1]:
        raise Refused(Code.CRYPTO_CERTIFICATE_FORM, reason="one PEM certificate expected")
    body = parts[1].split("-----END CERTIFICATE-----")[0]
    try:
        return base64.b64decode("".join(body.split()), validate=True)
    except ValueError:
        raise Refused(Code.CRYPTO_CERTIFICATE_FORM, reason="not base64") from None


def _name(subject: Mapping[str, str]) -> bytes:
    unknown = set(subject) - set(_NAMES)
    if unknown or not subject:
        raise Refused(Code.CRYPTO_CERTIFICATE_FORM, reason=f"name parts {sorted(unknown) or 'missing'}")
    try:
        return x509.Name(
            [x509.NameAttribute(_NAMES[part], subject[part]) for part in _NAMES if part in subject]
        ).public_bytes()
    except ValueError as error:
        raise Refused(Code.CRYPTO_CERTIFICATE_FORM, reason=str(error)) from None


def _frame(issuer: bytes, subject: bytes, public: bytes, terms: Terms, *, issuer_public: bytes) -> bytes:
    """TBSCertificate (RFC 5280 §4.1)."""
    _need_dates(terms)
    serial = secrets.randbits(127) | 1 << 126
    return der.sequence(
        der.encode(_EXPLICIT_VERSION, der.integer(2)),
        der.integer(serial),
        _ALGORITHM,
        issuer,
        der.sequence(der.time(terms.start), der.time(terms.end)),
        subject,
        der.sequence(_KEY_ALGORITHM, der.bits(public)),
        der.encode(_EXPLICIT_EXTENSIONS, _extensions(public, terms, issuer_public)),
    )


def _extensions(public: bytes, terms: Terms, issuer_public: bytes) -> bytes:
    usage = x509.KeyUsage(
        digital_signature=terms.sign and not terms.authority,
        content_commitment=terms.sign and not terms.authority,
        key_encipherment=terms.encipher,
        data_encipherment=terms.encipher,
        key_agreement=terms.encipher,
        key_cert_sign=terms.authority,
        crl_sign=terms.authority,
        encipher_only=False,
        decipher_only=False,
    )
    entries: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(terms.authority, terms.path_length if terms.authority else None), True),
        (usage, True),
        (x509.SubjectKeyIdentifier(_key_id(public)), False),
        (x509.AuthorityKeyIdentifier(_key_id(issuer_public), None, None), False),
    ]
    return der.sequence(*(_extension(value, critical) for value, critical in entries))


def _extension(value: x509.ExtensionType, critical: bool) -> bytes:
    mark = der.encode(der.BOOLEAN, b"\xff") if critical else b""
    return der.sequence(der.object_id(value.oid.dotted_string), mark, der.octets(value.public_bytes()))


def _key_id(public: bytes) -> bytes:
    """20 bytes of the key's SM3 digest (RFC 5280 §4.2.1.2 leaves the method open)."""
    return sm3(public)[:20]


def _signed(private: bytes, frame: bytes) -> bytes:
    signature = sm2.signature_to_der(sm2.sign(private, frame))
    return der.sequence(frame, _ALGORITHM, der.bits(signature))


def _split(encoded: bytes) -> tuple[bytes, bytes, der.Reader]:
    """The signed bytes, the signature as r ‖ s, and a reader standing at the serial number of the frame."""
    outer = der.Reader(encoded)
    body = outer.sequence()
    outer.end()
    signed = body.whole(der.SEQUENCE)
    algorithm = body.whole(der.SEQUENCE)
    signature = body.element(der.BIT_STRING)
    body.end()
    frame = der.Reader(signed).sequence()
    if frame.peek() == _EXPLICIT_VERSION:
        frame.skip()
    frame.integer()
    if not algorithm == _ALGORITHM == frame.whole(der.SEQUENCE):
        raise der.DerError("not signed SM2-with-SM3")
    if signature[:1] != b"\x00":
        raise der.DerError("the signature is not whole bytes")
    try:
        return signed, sm2.signature_from_der(signature[1:]), frame
    except Refused as refusal:
        raise der.DerError(str(refusal)) from None


def _names_and_key(frame: der.Reader) -> tuple[bytes, bytes, bytes]:
    """Issuer and subject as they are encoded, and the SM2 key, of a frame whose reader stands at the issuer."""
    issuer, _validity, subject = (frame.whole(der.SEQUENCE) for _part in range(3))
    info = frame.sequence()
    if info.whole(der.SEQUENCE) != _KEY_ALGORITHM:
        raise der.DerError("not an SM2 key")
    public = info.element(der.BIT_STRING)
    info.end()
    try:
        sm2.need_public(public[1:])
    except Refused as refusal:
        raise der.DerError(str(refusal)) from None
    return issuer, subject, public[1:]


def _read(
    encoded: bytes, loaded: x509.Certificate, names_and_key: tuple[bytes, bytes, bytes], seal: tuple[bytes, bytes]
) -> Certificate:
    issuer, subject, public = names_and_key
    found: dict[ObjectIdentifier, x509.ExtensionType] = {}
    for extension in loaded.extensions:
        if extension.critical and extension.oid not in _UNDERSTOOD:
            raise ValueError(f"critical extension {extension.oid.dotted_string} is not understood")
        found[extension.oid] = extension.value
    basic, usage = found.get(x509.BasicConstraints.oid), found.get(x509.KeyUsage.oid)
    own, above = found.get(x509.SubjectKeyIdentifier.oid), found.get(x509.AuthorityKeyIdentifier.oid)
    usage = usage if isinstance(usage, x509.KeyUsage) else None
    told = above.authority_cert_serial_number if isinstance(above, x509.AuthorityKeyIdentifier) else None
    if told is not None and told < 1:
        raise ValueError("the issuer's serial number is not positive")
    return Certificate(
        encoded=encoded,
        subject=loaded.subject.rfc4514_string(),
        subject_der=subject,
        issuer_der=issuer,
        serial=loaded.serial_number,
        start=loaded.not_valid_before_utc,
        end=loaded.not_valid_after_utc,
        public=public,
        is_authority=isinstance(basic, x509.BasicConstraints) and basic.ca,
        path_length=basic.path_length if isinstance(basic, x509.BasicConstraints) else None,
        may_sign_certificates=usage is not None and usage.key_cert_sign,
        may_sign=usage is not None and usage.digital_signature,
        may_encipher=usage is not None and usage.key_encipherment,
        key_id=own.digest if isinstance(own, x509.SubjectKeyIdentifier) else None,
        issuer_key_id=above.key_identifier if isinstance(above, x509.AuthorityKeyIdentifier) else None,
        signed=seal[0],
        signature=seal[1],
    )


def _need_dates(terms: Terms) -> None:
    if terms.start.tzinfo is None or terms.end.tzinfo is None:
        raise Refused(Code.CRYPTO_CERTIFICATE_FORM, reason="dates need a time zone")
    if terms.end <= terms.start:
        raise Refused(Code.CRYPTO_CERTIFICATE_FORM, reason="it ends before it starts")
