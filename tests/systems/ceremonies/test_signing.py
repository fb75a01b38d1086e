"""Minutes that are signed: the signature holds for exactly these bytes, and for no others (K6)."""

from __future__ import annotations

import pytest
from django.utils import timezone
from typer.testing import CliRunner

from sheka.faces.cli.main import application
from sheka.foundation.crypto import sm2
from sheka.foundation.refusals import Code
from sheka.systems.ceremonies.signing import read_signature, signed_pdf

PDF = b"%PDF-1.7\n1 0 obj <<>> endobj\ntrailer <<>>\nstartxref\n9\n%%EOF\n"


class SoftSigner:
    """A device key outside of a machine."""

    def __init__(self):
        self.private = sm2.generate_private()
        self.public = sm2.public_of(self.private)

    def public_key(self):
        return self.public

    def sign(self, message):
        return sm2.sign(self.private, message)


@pytest.fixture
def signer():
    return SoftSigner()


@pytest.fixture
def signed(signer):
    return signed_pdf(PDF, signer, node="demo", organisation="000000", about="C000000-2026-001", at=timezone.now())


def test_whoever_has_the_file_learns_who_signed_it(signed, signer):
    found = read_signature(signed, "minutes.pdf")
    assert (found.about, found.organisation, found.public) == ("C000000-2026-001", "000000", signer.public)
    assert signed.startswith(PDF) and signed.endswith(b"startxref\n9\n%%EOF\n")


@pytest.mark.req("K6")
def test_no_byte_can_be_altered_added_or_taken_away(signed, refused):
    for at in (*range(0, len(signed), 7), len(signed) - 2):
        other = signed[:at] + bytes([signed[at] ^ 1]) + signed[at + 1 :]
        refused(Code.CEREMONY_SIGNATURE, read_signature, other, "minutes.pdf")
    for other in (PDF, signed + b"\n%more", signed[:-7], b"", signed + signed[len(PDF) :]):
        refused(Code.CEREMONY_SIGNATURE, read_signature, other, "minutes.pdf")


def test_what_is_no_pdf_is_not_signed(signer, refused):
    refused(
        Code.CEREMONY_SIGNATURE,
        signed_pdf,
        b"text",
        signer,
        node="demo",
        organisation="000000",
        about="C1",
        at=timezone.now(),
    )


def test_the_command_line_verifies_without_a_node(signed, signer, tmp_path, monkeypatch):
    monkeypatch.delenv("SHEKA_NODE", raising=False)
    path = tmp_path / "minutes.pdf"
    path.write_bytes(signed)
    told = CliRunner().invoke(application(), ["ceremony", "verify", str(path), "--public", signer.public.hex()])
    assert told.exit_code == 0 and "C000000-2026-001" in told.output and "✓" in told.output
    unknown = CliRunner().invoke(application(), ["ceremony", "verify", str(path), "--public", "04" + "11" * 64])
    assert unknown.exit_code == 1 and "✗" in unknown.output
    alone = CliRunner().invoke(application(), ["ceremony", "verify", str(path)])
    assert alone.exit_code == 0 and "compare" in alone.output
