"""`sheka card`: what a visitor types to see a card of the demo world in a real reader (H4)."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sheka.equipment.initialisation.drawer import ChipDrawer
from sheka.equipment.initialisation.maker import ChipMaker
from sheka.faces.cli.main import application
from sheka.foundation.chip.personalisation import personalisation_steps
from sheka.foundation.chip.profile import load_profile
from sheka.foundation.chip.sample import SampleKeys, sample_holder
from sheka.foundation.chip.steps import carry_out
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused

NUMBER = "X00000019"
ACCEPTANCE = (
    "opensc-tool -r 0 -s 00A404000F7378312E73682EC9E7BBE1B1A3D5CF -s 00A4000002EF05 -s 00B207040B -s 00B2010412"
)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A world with one finished card, made with the sample's keys, and a blank chip."""
    profile, keys = load_profile(), SampleKeys(Algorithm.SM4)
    monkeypatch.setattr(ChipMaker, "transport_key", lambda self, algorithm, serial: keys.card_key("KT"))
    drawer = ChipDrawer(tmp_path / "chips", sync=False)
    drawer.manufacture(2, Algorithm.SM4)
    chip = drawer.take(Algorithm.SM4)
    chip.card.power_on()
    steps = personalisation_steps(profile, sample_holder(profile, keys), keys, algorithm=Algorithm.SM4)
    carry_out(steps, chip.card.transmit)
    chip.card.power_off()
    return tmp_path


def sheka(*words: object) -> tuple[int, str]:
    """Exit status and output of a command in this process; a refusal passes through."""
    result = CliRunner().invoke(application(), [str(word) for word in words])
    if isinstance(result.exception, Refused):
        raise result.exception
    return result.exit_code, result.output


def test_read_shows_the_public_identity_and_no_person(world: Path) -> None:
    status, output = sheka("card", "read", "--card", NUMBER, "--world", world)
    assert status == 0
    assert f"{NUMBER}\t卡号" in output
    assert "张三" not in output
    status, output = sheka("card", "read", "--card", NUMBER, "--world", world, "--json")
    assert json.loads(output)["identification code"].startswith("460100D15600000500000135")


@pytest.mark.req("R7")
def test_examine_ends_with_a_status_that_a_script_can_use(world: Path) -> None:
    status, output = sheka("card", "examine", "--card", NUMBER, "--world", world)
    assert (status, "芯片读写正常" in output) == (0, True)
    ChipDrawer(world / "chips").break_chip(NUMBER)
    status, output = sheka("card", "examine", "--card", NUMBER, "--world", world, "--json")
    assert status == 1
    assert json.loads(output)["readable"] is False


def test_list_names_the_cards(world: Path) -> None:
    status, output = sheka("card", "list", "--world", world)
    assert status == 0
    assert NUMBER in output
    assert "SM4 1" in output


def test_a_number_that_is_not_there_is_one_refusal(world: Path) -> None:
    with pytest.raises(Refused) as refusal:
        sheka("card", "insert", "ET000077X", "--world", world)
    assert refusal.value.code is Code.DRAWER_CARD_UNKNOWN
    with pytest.raises(Refused) as refusal:
        sheka("card", "read", "--card", NUMBER, "--world", world / "nowhere")
    assert refusal.value.code is Code.DRAWER_ABSENT


@contextmanager
def inserting(world: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUNBUFFERED": "1"}
    argv = [sys.executable, "-m", "sheka.faces.cli.main", "card", "insert", NUMBER, "--port", str(port)]
    process = subprocess.Popen(
        [*argv, "--world", str(world)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


@pytest.mark.req("H4")
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM], ids=lambda value: value.name)
def test_an_inserted_card_is_read_by_opensc_tool_and_by_us(world: Path, pcsc_port: int, end: signal.Signals) -> None:
    """Issue 2's acceptance, word for word: insert by number, then opensc-tool through pcscd."""
    with inserting(world, pcsc_port) as process:
        assert process.stdout is not None
        assert "已插入" in process.stdout.readline()
        done = subprocess.run(
            shlex.split(ACCEPTANCE),
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        assert done.stdout.count("SW1=0x90, SW2=0x00") == 4
        assert "X00000019" in done.stdout
        assert "01 10 46 01 00 D1 56 00 00 05 00 00 01 35" in done.stdout
        status, output = sheka("card", "read", "--reader", "0")
        assert (status, NUMBER in output) == (0, True)
        assert "Sheka Virtual Reader" in sheka("card", "readers")[1]
        assert sheka("card", "examine")[0] == 0
        process.send_signal(end)
        assert process.wait(10) == 0
        assert "已取出" in process.stdout.read()


def test_insert_without_a_reader_says_so_and_ends(world: Path) -> None:
    with inserting(world, 9) as process:
        output, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "2208" in output
    assert "Traceback" not in output
