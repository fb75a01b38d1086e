"""PC/SC without its parts: the operator reads what to install or start instead of a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sheka.equipment.card_reader.pcsc import PcscReader, list_readers, without_le
from sheka.foundation.refusals import Code, Refused


@pytest.mark.req("H4")
def test_without_pyscard_the_refusal_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "smartcard", None)
    with pytest.raises(Refused) as refusal:
        PcscReader(0).connect()
    assert refusal.value.code is Code.READER_EXTRA_MISSING
    assert "requirements/pcsc.txt" in refusal.value.todo("en")
    with pytest.raises(Refused):
        list_readers()


def test_without_the_service_the_refusal_names_it(tmp_path: Path) -> None:
    """In a process of its own: libpcsclite reads the socket's name once."""
    code = (
        "from sheka.equipment.card_reader.pcsc import PcscReader\n"
        "from sheka.foundation.refusals import Refused\n"
        "try:\n    PcscReader(0).connect()\n"
        "except Refused as error:\n    print(error.code.name, error.todo('en'))\n"
    )
    environment = os.environ | {
        "PCSCLITE_CSOCK_NAME": str(tmp_path / "nobody"),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout.startswith("READER_SERVICE_ABSENT")
    assert "pcscd" in done.stdout


def test_a_reader_that_is_not_connected_transmits_nothing() -> None:
    with pytest.raises(Refused) as refusal:
        PcscReader(0).transmit(bytes.fromhex("0084000008"))
    assert refusal.value.code is Code.READER_CARD_LOST


@pytest.mark.parametrize(
    ("apdu", "sent"),
    [
        ("0084000008", "0084000008"),
        ("00A4000002EF05", "00A4000002EF05"),
        ("00A4000002EF0500", "00A4000002EF05"),
        ("0088000010" + "00" * 16 + "08", "0088000010" + "00" * 16),
        ("00B0", "00B0"),
    ],
)
def test_a_command_with_data_loses_its_le_for_t0(apdu: str, sent: str) -> None:
    """T=0 has no Le beside data: readers that pass it on get 6700 from real cards."""
    assert without_le(bytes.fromhex(apdu)).hex().upper() == sent
