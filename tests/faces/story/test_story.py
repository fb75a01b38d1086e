"""The life of a card on a world of real processes; its card is then read by a program that is not ours."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from tests.support.pcsc import pcsc_port, pcsc_turn

from sheka.equipment.initialisation.drawer import ChipDrawer
from sheka.equipment.server.node import NodeConfig

__all__ = ["pcsc_port", "pcsc_turn"]

READ = "opensc-tool -r 0 -s 00A404000F7378312E73682EC9E7BBE1B1A3D5CF -s 00A4000002EF05 -s 00B207040B -s 00B2010412"
REQUIREMENTS = [
    "I2",
    "I3",
    "I6",
    "K2",
    "K5",
    "K8",
    "K9",
    "H3",
    "S2",
    "S3",
    "H4",
    "S4",
    "S6",
    "C1",
    "C2",
    "C3",
    "S10",
    "S8",
    "R7",
    "R1",
    "R5",
    "R3",
    "R4",
]


@pytest.fixture
def played():
    """(status, steps, folder of the world, what was said) of one `sheka story`; the world is gone after the tests."""
    home = Path(tempfile.mkdtemp(prefix="sheka-tell-"))
    home.chmod(0o755)
    out = home / "steps.json"
    try:
        done = subprocess.run(
            [sys.executable, "-m", "sheka.faces.cli.main", "story", "--json", str(out)],
            env={**_environment(), "TMPDIR": str(home)},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        world = next(home.glob("sheka-story-*/world"))
        yield done.returncode, json.loads(out.read_text("utf-8")), world, done.stderr
        NodeConfig.load(world / "node.toml").cluster.remove()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _environment():

    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SHEKA_", "DJANGO_"))}
    return {**kept, "PYTHONPATH": ":".join(filter(None, sys.path))}


def _every(function):
    for requirement in (*REQUIREMENTS, "R2", "R6", "H2"):
        function = pytest.mark.req(requirement)(function)
    return function


@_every
def test_every_step_holds_and_the_storys_card_is_read_through_pcscd(played, pcsc_port):
    """One run of real processes; then a holder's card is read in a reader by a program that is not ours."""
    status, steps, world, said = played
    assert [step["text"] for step in steps if not step["ok"]] == [], said
    assert status == 0
    assert {step["requirement"] for step in steps} == set(REQUIREMENTS)
    assert {tuple(sorted(step)) for step in steps} == {("detail", "ok", "requirement", "seconds", "text")}
    number = next(number for number in ChipDrawer(world / "chips").numbers() if number != "D00000013")
    argv = [sys.executable, "-m", "sheka.faces.cli.main", "card", "insert", number, "--port", str(pcsc_port)]
    process = subprocess.Popen(
        [*argv, "--world", str(world)], env=_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        assert "已插入" in process.stdout.readline()
        done = subprocess.run(READ.split(), capture_output=True, text=True, timeout=60, check=True)
    finally:
        process.terminate()
        process.communicate(timeout=20)
    assert done.stdout.count("SW1=0x90, SW2=0x00") == 4
    assert number in done.stdout
    assert "01 10 46 01 00 D1 56 00 00 05" in done.stdout
