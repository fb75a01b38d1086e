"""`sheka carrier` and `sheka psam`: what an operator types to see a carrier or a PSAM (K5, K8)."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from django.conf import settings
from typer.testing import CliRunner

from sheka.equipment.card_reader.key_carrier import CarriedKey, KeyCarrierSession
from sheka.equipment.encryption_machine.launch import start_machine
from sheka.equipment.initialisation.carrier_drawer import CarrierDrawer
from sheka.equipment.initialisation.device_keys import carrier_keys, take_in
from sheka.equipment.server.files import make_socket_folder
from sheka.faces.cli.main import application
from sheka.foundation.refusals import Code, Refused
from sheka.systems.keys.machines import close_machines

PIN = "258036"


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """A world with two PSAMs and a transmission key card."""
    drawer = CarrierDrawer(tmp_path / "carriers", sync=False)
    drawer.manufacture("psam", 2)
    drawer.manufacture("transmission_key_card", 1)
    return tmp_path


def sheka(*words: object, typed: str = "") -> tuple[int, str]:
    """Exit status and output of a command in this process; a refusal passes through."""
    result = CliRunner().invoke(application(), [str(word) for word in words], input=typed)
    if isinstance(result.exception, Refused):
        raise result.exception
    return result.exit_code, result.output


@pytest.mark.req("K5", "K8")
def test_the_carriers_and_psams_of_a_world_are_listed(world: Path) -> None:
    status, output = sheka("carrier", "list", "--world", world)
    assert (status, output.count("PSAM"), output.count("传输密钥卡")) == (0, 4, 1)
    _, output = sheka("carrier", "list", "--world", world, "--json")
    found = json.loads(output)
    assert [len(found[kind]) for kind in ("psam", "transmission_key_card", "key_mother_card")] == [2, 1, 0]


@pytest.mark.req("K8")
def test_a_psam_says_what_it_holds(world: Path) -> None:
    serial = CarrierDrawer(world / "carriers").serials("psam")[0]
    status, output = sheka("psam", "read", "--psam", serial, "--world", world)
    assert (status, serial in output, "终端机编号" in output) == (0, True, True)
    _, output = sheka("psam", "read", "--psam", serial, "--world", world, "--json")
    assert json.loads(output) == {"serial": serial, "terminal": "", "counter": 0, "keys": []}
    with pytest.raises(Refused) as refusal:
        sheka("psam", "read", "--psam", "0" * 20, "--world", world)
    assert refusal.value.code is Code.DRAWER_CARRIER_UNKNOWN


@pytest.fixture
def with_machine(world: Path, db: None):
    """The world, the first machine of the node running, the maker's keys in it, and a card with something on it."""
    node = settings.NODE
    name, folder = node.machine(node.organisations[0]).name, Path(tempfile.mkdtemp(prefix="sheka-cli-"))
    make_socket_folder(node.sockets)
    handle = start_machine(folder, callers=node.machine_callers(name), address=node.machine_address(name))
    close_machines()
    drawer = CarrierDrawer(world / "carriers", sync=False)
    (serial,) = drawer.serials("transmission_key_card")
    try:
        with handle.client("systems") as machine:
            take_in(machine, drawer.maker)
            with KeyCarrierSession(drawer.reader(serial), carrier_keys(machine)) as session:
                session.change_pin("000000", PIN)
                session.authenticate(PIN)
                session.write_envelopes([b"sealed"], "部 → 省", contents=[CarriedKey("IRK", 1, "SM4", "A1B2C3D4")])
            yield serial
    finally:
        close_machines()
        handle.stop()
        shutil.rmtree(folder)


@pytest.mark.req("K5")
def test_contents_are_shown_to_the_pin_which_shows_nowhere(world: Path, with_machine: str) -> None:
    node = ("--config", settings.NODE.path, "--world", world)
    status, output = sheka("carrier", "contents", with_machine, *node, typed=f"{PIN}\n")
    assert (status, "IRK v1 SM4\tA1B2C3D4" in output, "部 → 省" in output) == (0, True, True)
    assert PIN not in output and "sealed" not in output
    _, output = sheka("carrier", "contents", with_machine, "--json", *node, typed=f"{PIN}\n")
    assert json.loads(output[output.index("{") :])["items"][0]["check_value"] == "A1B2C3D4"
    with pytest.raises(Refused) as refusal:
        sheka("carrier", "contents", with_machine, *node, typed="111111\n")
    assert refusal.value.code is Code.CARRIER_PIN_WRONG
    status, output = sheka("carrier", "change-pin", with_machine, *node, typed=f"{PIN}\n741963\n741963\n")
    assert status == 0 and "741963" not in output
    assert sheka("carrier", "contents", with_machine, *node, typed="741963\n")[0] == 0


@pytest.mark.req("H4", "K8")
@pytest.mark.parametrize("what", ["psam", "carrier"])
def test_an_inserted_psam_or_carrier_is_found_in_the_second_slot(world: Path, pcsc_port: int, what: str) -> None:
    drawer = CarrierDrawer(world / "carriers")
    serial = drawer.serials("psam" if what == "psam" else "transmission_key_card")[0]
    argv = [sys.executable, "-m", "sheka.faces.cli.main", what, "insert", serial, "--port", str(pcsc_port + 1)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [*argv, "--world", str(world)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert "已插入" in process.stdout.readline()
            if what == "psam":
                assert serial in sheka("psam", "read")[1]
            else:
                found = subprocess.run(
                    ["opensc-tool", "-r", "1", "-s", "80CA01010A"],
                    capture_output=True,
                    text=True,
                    timeout=30,
                    check=True,
                )
                assert " ".join(serial[at : at + 2] for at in range(0, 20, 2)) in found.stdout
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 0
        finally:
            process.kill()
