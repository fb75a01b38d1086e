"""The user that a node's encryption machines run as (H5): `sheka-machine` when the node is started as root.

The machine's process starts as root, loads its programs and gives root up before it opens anything
(`encryption_machine.__main__`, --user), so that the Python environment may lie where that user cannot go. Its folder
may not: a machine whose folder or socket that user cannot reach runs as root, and so does one whose keys are in a
token, because module, PIN and device were given to root. The start and the health page say so.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from sheka.equipment.encryption_machine.pkcs11.settings import FILE as TOKEN_FILE
from sheka.equipment.server.files import make_folder, make_socket_folder, unwritable
from sheka.equipment.server.node import NodeConfig
from sheka.equipment.server.processes import Identity
from sheka.equipment.server.system_users import can_reach, can_write, hand_over, identity_of, system_user

SYSTEM_USER = "sheka-machine"


@dataclass(frozen=True, slots=True)
class MachineUser:
    """Whom a machine runs as; None: the user that starts the node. `notice` (zh, en): why that has to be root."""

    identity: Identity | None = None
    notice: tuple[str, str] | None = None


def machine_user(node: NodeConfig, name: str) -> MachineUser:
    """Whom the machine `name` of the node runs as; the user is made when it is missing.

    Raises Refused(SERVER_FOLDER_UNWRITABLE) when the folders above the machine's cannot be made.
    """
    if os.geteuid() != 0:
        return MachineUser()
    folder = _folder(node, name)
    if (folder / TOKEN_FILE).exists():
        return _as_root(name, "密钥在 PKCS#11 设备中", "its keys are in a PKCS#11 device")
    user = system_user(SYSTEM_USER)
    if user is None:
        return _as_root(name, f"无法建立用户 {SYSTEM_USER}", f"the user {SYSTEM_USER} cannot be made")
    if not can_reach(make_folder(folder.parent), user):
        return _as_root(name, f"用户 {SYSTEM_USER} 无法进入 {folder}", f"the user {SYSTEM_USER} cannot enter {folder}")
    own = node.machine(name).address.removeprefix("unix:")
    sockets = Path(own).parent if own.startswith("/") else make_folder(node.sockets.parent)
    if not (can_write(sockets, user) if own.startswith("/") else can_reach(sockets, user)):
        return _as_root(name, f"用户 {SYSTEM_USER} 无法使用 {sockets}", f"the user {SYSTEM_USER} cannot use {sockets}")
    return MachineUser(user)


def notices(node: NodeConfig) -> list[tuple[str, str]]:
    """What the start says: each machine that runs as root, and why."""
    users = [machine_user(node, machine.name) for machine in node.machines if machine.folder]
    return [user.notice for user in users if user.notice is not None]


def settle(node: NodeConfig, name: str) -> Identity | None:
    """Make the machine's folder (0700) and the folder of the sockets, and give both to whom the machine runs as: new
    ones, and those of an earlier version, which were root's. Returns that user, None for the one that starts the node.
    """
    user = machine_user(node, name).identity
    if os.geteuid() != 0:
        make_socket_folder(node.sockets)
        return None
    root = identity_of(0, 0)
    folder = _folder(node, name)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise unwritable(folder, error) from None
    hand_over(folder, user or root)
    others = (machine_user(node, machine.name).identity for machine in node.machines if machine.folder)
    owner = user or next(filter(None, others), root)
    if node.sockets.is_dir():
        hand_over(node.sockets, owner)
    make_socket_folder(node.sockets, owner=(owner.uid, owner.gid))
    return user


def _folder(node: NodeConfig, name: str) -> Path:
    return Path(os.path.realpath(node.machine_folder(name)))


def _as_root(name: str, chinese: str, english: str) -> MachineUser:
    said = (f"加密机 {name} 以 root 运行：{chinese}。", f"The machine {name} runs as root: {english}.")
    return MachineUser(notice=said)
