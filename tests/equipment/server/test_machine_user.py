"""Whom a machine runs as (H5): its own user where that can work, else root, and why."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sheka.equipment.server import machine_user, system_users
from sheka.equipment.server.machine_user import SYSTEM_USER, MachineUser, notices, settle
from sheka.equipment.server.node import NodeConfig
from sheka.equipment.server.system_users import existing_user, files_as, system_user

pytestmark = pytest.mark.req("H5")
ROOT = os.geteuid() == 0


@pytest.fixture
def node(open_folder: Path) -> NodeConfig:
    codes = {"haikou": "460100", "sanya": "460200"}
    return NodeConfig.create(open_folder / "node", name="test", level="city", machines=codes)


def owners(node: NodeConfig) -> list[int]:
    return [path.stat().st_uid for path in (node.machine_folder("haikou"), node.machine_folder("sanya"), node.sockets)]


def test_a_machine_with_a_token_stays_with_root_and_the_others_do_not(node: NodeConfig) -> None:
    users = [settle(node, name) for name in ("haikou", "sanya")]
    own = existing_user(SYSTEM_USER) if ROOT else None
    assert users == [own, own]
    number = os.geteuid() if own is None else own.uid
    assert owners(node) == [number] * 3
    (node.machine_folder("haikou") / "pkcs11.toml").touch()
    assert [settle(node, name) for name in ("haikou", "sanya", "haikou")] == [None, own, None]
    assert owners(node) == [os.geteuid(), number, number]
    (node.machine_folder("sanya") / "pkcs11.toml").touch()
    assert [settle(node, name) for name in ("haikou", "sanya")] == [None, None]
    assert owners(node) == [os.geteuid()] * 3
    why = "The machine {} runs as root: its keys are in a PKCS#11 device."
    assert [english for _, english in notices(node)] == [why.format(name) for name in ("haikou", "sanya") if ROOT]


def test_a_socket_where_it_may_not_make_one_leaves_it_with_root(node: NodeConfig, open_folder: Path) -> None:
    closed, opened = open_folder / "closed", open_folder / "opened"
    closed.mkdir(mode=0o755)
    opened.mkdir()
    opened.chmod(0o777)
    text = node.path.read_text()
    for folder, number in ((closed, 1), (opened, 0)):
        node.path.write_text(
            text.replace('folder = "machines/haikou"', f'folder = "machines/haikou"\naddress = "unix:{folder}/h.sock"')
        )
        assert len(notices(NodeConfig.load(node.path))) == (number if ROOT else 0)


def test_without_the_user_the_start_says_so(node: NodeConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_user, "system_user", lambda name: None)
    assert len(notices(node)) == (2 if ROOT else 0)
    monkeypatch.setattr(system_users.shutil, "which", lambda *given, **named: None)
    assert system_user("sheka-nobody-has-this-name") is None


def test_a_starter_who_is_not_root_keeps_everything(node: NodeConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert machine_user.machine_user(node, "haikou") == MachineUser()
    assert notices(node) == []


def test_files_are_touched_with_the_rights_of_the_user(open_folder: Path) -> None:
    user = system_user(SYSTEM_USER) if ROOT else None
    secret, mine = open_folder / "secret", open_folder / "mine"
    secret.write_text("root's")
    secret.chmod(0o600)
    open_folder.chmod(0o777)
    with files_as(user):
        mine.touch()
        if user is not None:
            with pytest.raises(PermissionError):
                secret.read_text()
    assert secret.read_text() == "root's"
    assert mine.stat().st_uid == (os.geteuid() if user is None else user.uid)
