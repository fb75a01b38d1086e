"""A node's machines have a user of their own (H5, K6): what root starts, another system user cannot read or reach."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sheka.equipment.encryption_machine.client import EncryptionMachine
from sheka.equipment.encryption_machine.launch import start_machine
from sheka.equipment.encryption_machine.model import Usage
from sheka.equipment.server import machine_user
from sheka.equipment.server.files import make_socket_folder
from sheka.equipment.server.machine_user import SYSTEM_USER
from sheka.equipment.server.node import NodeConfig
from sheka.equipment.server.postgres_place import unprivileged_user
from sheka.equipment.server.processes import Identity
from sheka.equipment.server.supervisor import Supervisor
from sheka.equipment.server.system_users import existing_user, identity_of
from sheka.faces.cli.main import application
from sheka.faces.cli.node_processes import encryption_machine
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Refused

pytestmark = pytest.mark.req("H5")


@pytest.fixture
def node(open_folder: Path) -> NodeConfig:
    return NodeConfig.create(open_folder / "node", name="test", level="city", machines={"haikou": "460100"}, demo=True)


@contextmanager
def running(node: NodeConfig) -> Iterator[tuple[Supervisor, EncryptionMachine]]:
    """The node's machine under a supervisor, and a client of it."""
    with Supervisor(folder=node.folder, handle_signals=False) as supervisor:
        supervisor.start(encryption_machine(node, "haikou"))
        with EncryptionMachine(node.machine_address("haikou"), "systems", node.machine_secret("haikou")) as machine:
            yield supervisor, machine


def expected() -> Identity:
    """Whom the machine should run as: its own user when we are root, else us."""
    found = existing_user(SYSTEM_USER) if os.geteuid() == 0 else identity_of(os.geteuid(), os.getegid())
    assert found is not None
    return found


def status(pid: int) -> dict[str, list[str]]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {line.partition(":")[0]: line.partition(":")[2].split() for line in lines}


def pid_of(supervisor: Supervisor) -> int:
    (child,) = supervisor._children
    assert child.pid is not None
    return child.pid


def tree(node: NodeConfig) -> list[Path]:
    folder = node.machine_folder("haikou")
    return [folder, *folder.rglob("*"), node.sockets, *node.sockets.rglob("*")]


def readable(path: Path, user: Identity) -> bool:
    """Whether `user` can open it for reading, asked of the kernel as that user."""
    as_user = {"user": user.uid, "group": user.gid, "extra_groups": []} if os.geteuid() == 0 else {}
    asked = subprocess.run(["/bin/cat", path], cwd="/", capture_output=True, check=False, **as_user)  # type: ignore[call-overload]
    return bool(asked.returncode == 0)


@pytest.mark.req("K6")
def test_the_process_and_its_files_belong_to_its_own_user_through_crash_and_restart(node: NodeConfig) -> None:
    made = []
    for _ in range(2):
        with running(node) as (supervisor, machine):
            made.append(machine.generate(f"key {len(made)}", Algorithm.SM4, Usage.MAC))
            os.kill(before := pid_of(supervisor), signal.SIGKILL)
            until = time.monotonic() + 20
            while True:
                try:
                    if machine.list_keys() == made:
                        break
                except Refused:
                    assert time.monotonic() < until
                    time.sleep(0.1)
            user, found = expected(), status(pid_of(supervisor))
            assert pid_of(supervisor) != before
            assert found["Uid"] == [str(user.uid)] * 4
            assert found["Gid"] == [str(user.gid)] * 4
            if os.geteuid() == 0:
                assert found["Groups"] == []
                assert int(found["CapEff"][0], 16) == int(found["CapPrm"][0], 16) == 0
            for path in tree(node):
                assert path.lstat().st_uid == user.uid, path
                assert path.lstat().st_mode & 0o077 == 0, path


@pytest.mark.req("K6")
def test_another_user_can_neither_read_its_files_nor_reach_its_socket(node: NodeConfig) -> None:
    with running(node) as (supervisor, _):
        files = [path for path in tree(node) if path.is_file()]
        assert {"demo.shares", "systems.secret", "machine.toml", "seal.json", "device.record"} <= {
            path.name for path in files
        }
        assert all(readable(path, expected()) for path in files)
        stranger = unprivileged_user()
        if stranger is not None:
            assert stranger.uid != expected().uid
            assert not any(readable(path, stranger) for path in files)
            connect = ["/usr/bin/test", "-w", node.machine_address("haikou").removeprefix("unix:")]
            for user, answer in ((stranger, 1), (expected(), 0)):
                asked = subprocess.run(connect, user=user.uid, group=user.gid, extra_groups=[], check=False)
                assert asked.returncode == answer
        for secret in ("mem", "environ", "maps"):  # undumpable: closed to its own user as well
            assert not readable(Path(f"/proc/{pid_of(supervisor)}/{secret}"), expected())


def test_what_an_earlier_version_left_is_handed_over_and_no_link_is_followed(node: NodeConfig) -> None:
    folder, outside = node.machine_folder("haikou"), node.folder / "outside"
    make_socket_folder(node.sockets)
    handle = start_machine(folder, callers=node.machine_callers("haikou"), address=node.machine_address("haikou"))
    with handle.client("systems") as machine:
        made = machine.generate("key of the old world", Algorithm.SM4, Usage.MAC)
    assert handle.stop() == 0
    outside.write_text("not the machine's")
    outside.chmod(0o600)
    (folder / "link").symlink_to(outside)
    for _ in range(2):
        with running(node) as (_, machine):
            assert machine.list_keys() == [made]
        assert {path.lstat().st_uid for path in tree(node)} == {expected().uid}
        assert outside.stat().st_uid == os.geteuid()


def test_root_follows_no_link_that_the_machine_laid(node: NodeConfig) -> None:
    with running(node):
        pass
    outside = node.folder / "outside"
    outside.write_text("not the machine's")
    outside.chmod(0o600)
    (node.machine_folder("haikou") / "machine.toml.new").symlink_to(outside)
    if os.geteuid() == 0:
        with pytest.raises(Refused):
            encryption_machine(node, "haikou")
        assert outside.read_text() == "not the machine's"


def test_where_its_user_cannot_go_it_runs_as_the_starter_and_the_start_says_so(open_folder: Path) -> None:
    private = open_folder / "private"
    private.mkdir(mode=0o700)
    node = NodeConfig.create(private / "node", name="test", level="city", machines={"haikou": "460100"}, demo=True)
    with running(node) as (supervisor, machine):
        assert not machine.describe().sealed
        assert status(pid_of(supervisor))["Uid"] == [str(os.geteuid())] * 4
    said = machine_user.notices(node)
    if os.geteuid() == 0:
        assert [english for _, english in said] == [
            f"The machine haikou runs as root: the user {SYSTEM_USER} cannot enter {node.machine_folder('haikou')}."
        ]
    else:
        assert said == []
    private.chmod(0o711)
    with running(node) as (supervisor, _):
        assert status(pid_of(supervisor))["Uid"] == [str(expected().uid)] * 4


def test_a_demo_world_starts_again_and_is_cleared(open_folder: Path) -> None:
    node = NodeConfig.create_demo(open_folder / "demo")
    for _ in range(2):
        with Supervisor(folder=node.folder, handle_signals=False) as supervisor:
            supervisor.start(*(encryption_machine(node, machine.name) for machine in node.machines))
            said = CliRunner().invoke(application(), ["machine", "status", "--config", str(node.path)])
            assert said.exit_code == 0 and said.output.count("✓") == 3
            sealed = CliRunner().invoke(application(), ["machine", "seal", "--config", str(node.path)])
            assert sealed.exit_code == 0
    cleared = CliRunner().invoke(application(), ["world", "reset", "--folder", str(node.folder)])
    assert cleared.exit_code == 0
    assert not node.folder.exists() and not node.sockets.exists()
