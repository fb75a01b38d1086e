"""Starting and stopping: one clear sentence for each way it cannot start, and nothing left running (H5)."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sheka.equipment.encryption_machine import configuration
from sheka.equipment.encryption_machine.configuration import Configuration
from sheka.equipment.encryption_machine.launch import CONFIG_NAME, prepare, start_machine
from sheka.equipment.encryption_machine.model import Usage, Verb
from sheka.equipment.encryption_machine.rights import SWITCH, Rights
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused

SECRET = b"the caller's secret of 32 bytes."
CALLERS = {"tester": SECRET}
SOURCE = str(Path(__file__).resolve().parents[3] / "src")


def run(config: Path, *more: str, given: bytes = b"") -> subprocess.CompletedProcess[str]:
    """The command line, until it ends."""
    return subprocess.run(
        [sys.executable, "-m", "sheka.equipment.encryption_machine", "--config", str(config), *more],
        input=given.decode(),
        capture_output=True,
        text=True,
        timeout=30,
        env={**os.environ, "PYTHONPATH": SOURCE},
    )


@pytest.mark.req("H5")
def test_it_starts_answers_and_stops_cleanly(tmp_path: Path) -> None:
    handle = start_machine(tmp_path, callers=CALLERS)
    sock = Path(handle.address.removeprefix("unix:"))
    assert sock.stat().st_mode & 0o777 == 0o600
    with handle.client("tester") as machine:
        assert machine.describe().keys == 0
    assert handle.running
    assert handle.stop() == 0
    assert not sock.exists()
    assert handle.stop() == 0


def test_idle_it_needs_less_than_80_megabytes(tmp_path: Path) -> None:
    handle = start_machine(tmp_path, callers=CALLERS)
    with handle.client("tester") as machine:
        key = machine.generate("key", Algorithm.SM4, Usage.ENCRYPT)
        for _ in range(3):
            machine.cryptograms_raw(key.ref, bytes(160_000))
        time.sleep(0.2)
        status = Path(f"/proc/{handle.process.pid}/status").read_text()
    handle.stop()
    (resident,) = [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")]
    assert resident < 80 * 1024


def test_keys_outlive_a_restart_and_the_sealing_secret_over_standard_input_is_never_written(tmp_path: Path) -> None:
    sealing = b"handed over, never written down!"
    handle = start_machine(tmp_path, callers=CALLERS, sealing_secret=sealing)
    with handle.client("tester") as machine:
        info = machine.generate("key", Algorithm.SM4, Usage.MAC)
    handle.stop()
    with pytest.raises(Refused) as refusal:
        start_machine(tmp_path, callers=CALLERS, sealing_secret=sealing[::-1])
    assert refusal.value.code is Code.MACHINE_SEAL_WRONG
    handle = start_machine(tmp_path, callers=CALLERS, sealing_secret=sealing)
    with handle.client("tester") as machine:
        assert machine.list_keys() == [info]
    handle.stop()
    assert not list((tmp_path / "secrets").glob("sealing*"))


@pytest.mark.parametrize("kind", ["unix", "tcp"])
def test_an_address_in_use_is_refused_and_its_user_untouched(tmp_path: Path, kind: str) -> None:
    if kind == "unix":
        taken = socket.socket(socket.AF_UNIX)
        taken.bind(str(tmp_path / "taken.sock"))
        taken.listen()
        address = f"unix:{tmp_path / 'taken.sock'}"
    else:
        taken = socket.create_server(("127.0.0.1", 0))
        address = f"tcp:127.0.0.1:{taken.getsockname()[1]}"
    with taken:
        with pytest.raises(Refused) as refusal:
            start_machine(tmp_path / "machine", callers=CALLERS, address=address)
        assert refusal.value.code is Code.MACHINE_ADDRESS_TAKEN
        assert refusal.value.facts["address"] == address
        with socket.socket(socket.AF_UNIX if kind == "unix" else socket.AF_INET) as line:
            line.connect(address[5:] if kind == "unix" else ("127.0.0.1", int(address.split(":")[2])))


def test_the_folder_of_a_running_machine_is_refused(tmp_path: Path) -> None:
    handle = start_machine(tmp_path, callers=CALLERS)
    with pytest.raises(Refused) as refusal:
        start_machine(tmp_path, callers=CALLERS, address="tcp:127.0.0.1:0")
    assert refusal.value.code is Code.MACHINE_FOLDER_IN_USE
    assert handle.running
    assert handle.stop() == 0


def test_a_file_in_place_of_the_socket_is_not_removed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("keep me")
    with pytest.raises(Refused) as refusal:
        start_machine(tmp_path / "machine", callers=CALLERS, address=f"unix:{precious}")
    assert refusal.value.code is Code.MACHINE_ADDRESS_TAKEN
    assert precious.read_text() == "keep me"


@pytest.mark.parametrize(
    "address", ["unix:/proc/nowhere/machine.sock", "tcp:no.such.host.invalid:1", "tcp:192.0.2.1:0"]
)
def test_an_address_that_cannot_be_is_refused(tmp_path: Path, address: str) -> None:
    with pytest.raises(Refused) as refusal:
        start_machine(tmp_path, callers=CALLERS, address=address)
    assert refusal.value.code is Code.MACHINE_ADDRESS_BAD


def test_a_folder_that_cannot_be_written_is_refused_before_anything_starts() -> None:
    with pytest.raises(Refused) as refusal:
        start_machine(Path("/proc/sheka"), callers=CALLERS)
    assert refusal.value.code is Code.MACHINE_FOLDER_UNUSABLE


def test_a_long_folder_gets_a_short_socket_that_goes_with_the_machine(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)
    handle = start_machine(folder, callers=CALLERS)
    sock = Path(handle.address.removeprefix("unix:"))
    assert len(str(sock)) < 100
    assert sock.parent.stat().st_mode & 0o777 == 0o700
    with handle.client("tester") as machine:
        assert machine.describe()
    assert handle.stop() == 0
    assert not sock.parent.exists()


@pytest.mark.req("K6")
@pytest.mark.parametrize("which", ["tester.secret", "sealing.secret"])
def test_a_secret_that_others_can_read_is_refused(tmp_path: Path, which: str) -> None:
    config = prepare(tmp_path, callers=CALLERS)
    (tmp_path / "secrets" / which).chmod(0o640)
    done = run(config)
    assert done.returncode == 2
    assert "2306" in done.stderr and "0640" in done.stderr
    assert "Traceback" not in done.stderr


PLACES = 'folder = "x"\naddress = "unix:x"\n'
STDIN = 'sealing_secret = "stdin"\n'
CALLER_A = '[callers.a]\nsecret_file = "s"\n'


@pytest.mark.parametrize(
    ("content", "number", "word"),
    [
        ("", "2311", "nobody may call"),
        ("folder = ", "2311", "Invalid value"),
        (PLACES + "adress = 1", "2311", "adress is not known"),
        (PLACES + 'sealing_secret = "in clear"\n' + CALLER_A, "2311", "stdin"),
        (PLACES + STDIN, "2311", "nobody may call"),
        ('folder = "x"\naddress = "http:x"\n' + STDIN + CALLER_A, "2302", "http:x"),
        (PLACES + STDIN + CALLER_A, "2307", "/s is"),
        (PLACES + STDIN + CALLER_A + 'verbs = ["ALL"]', "2311", "callers.a"),
        (PLACES + STDIN + CALLER_A + 'usages = "MAC"', "2311", "callers.a.usages"),
        (PLACES + STDIN + "max_connections = 0\n" + CALLER_A, "2311", "max_connections"),
    ],
)
def test_a_wrong_configuration_is_one_sentence(tmp_path: Path, content: str, number: str, word: str) -> None:
    path = tmp_path / "machine.toml"
    path.write_text(content)
    done = run(path, given=b"00" * 32 + b"\n")
    assert done.returncode == 2
    assert done.stderr.startswith(number)
    assert word in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_missing_configuration_and_a_missing_sealing_secret(tmp_path: Path) -> None:
    assert run(tmp_path / "none.toml").stderr.startswith("2311")
    done = run(prepare(tmp_path, callers=CALLERS, sealing_secret=b"x" * 32), given=b"\n")
    assert done.stderr.startswith("2307")
    (tmp_path / CONFIG_NAME).write_bytes(b"\xff\xfe")
    assert run(tmp_path / CONFIG_NAME).stderr.startswith("2311")


def test_what_was_configured_is_what_is_read(tmp_path: Path) -> None:
    rights = {"switch": SWITCH, "city": Rights.of({Verb.KEY}, {Usage.WRAP}, {"460100", "460200"})}
    callers = {"switch": SECRET, "city": SECRET[::-1], "console": bytes(16)}
    found = Configuration.load(prepare(tmp_path, callers=callers, rights=rights, max_connections=7))
    assert found.max_connections == 7
    accounts = found.accounts()
    assert {name: account.secret for name, account in accounts.items()} == callers
    assert {name: account.rights for name, account in accounts.items()} == {**rights, "console": Rights.everything()}
    assert found.address.path == tmp_path.resolve() / "machine.sock"
    assert configuration.Configuration.load(tmp_path / CONFIG_NAME) == found


@pytest.mark.parametrize("name", ["../outside", "", "a/b", ".."])
def test_a_callers_name_is_no_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(Refused) as refusal:
        prepare(tmp_path, callers={name: SECRET})
    assert refusal.value.code is Code.MACHINE_CONFIG_BAD


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_line_runs_in_the_foreground_until_it_is_told_to_stop(tmp_path: Path, number: int) -> None:
    config = prepare(tmp_path, callers=CALLERS)
    ready, theirs = os.pipe()
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "sheka.equipment.encryption_machine",
            "--config",
            str(config),
            "--ready-fd",
            str(theirs),
        ],
        pass_fds=(theirs,),
        env={**os.environ, "PYTHONPATH": SOURCE},
    )
    os.close(theirs)
    with os.fdopen(ready) as pipe:
        assert "machine.sock" in pipe.readline()
    process.send_signal(number)
    assert process.wait(10) == 0


@pytest.mark.req("H5")
def test_it_ends_when_the_program_that_started_it_is_gone(tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path\n"
        "from sheka.equipment.encryption_machine.launch import start_machine\n"
        f"handle = start_machine(Path({str(tmp_path)!r}), callers={{'tester': {SECRET!r}}})\n"
        "print(handle.process.pid, flush=True); os._exit(1)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": SOURCE}
    )
    orphan = int(done.stdout)
    until = time.monotonic() + 10
    while Path(f"/proc/{orphan}/cmdline").exists() and Path(f"/proc/{orphan}/cmdline").read_bytes():
        assert time.monotonic() < until, "the machine outlived its starter"
        time.sleep(0.05)
    assert not (tmp_path / "machine.sock").exists()
