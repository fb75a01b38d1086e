"""`sheka machine`: custodians at the node itself: status, unsealing, sealing, sharing out, back-up, restoring (H5, K6).

What is done here is in the machine's own chained log. A share is typed without echo, and shown once, to one person.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sheka.faces.cli.operator import DEMO, NodeFile
from sheka.faces.cli.paper import read_alone

if TYPE_CHECKING:
    from sheka.equipment.encryption_machine.client import EncryptionMachine
    from sheka.equipment.encryption_machine.model import Progress
    from sheka.equipment.server.node import NodeConfig

app = typer.Typer(help="加密机 encryption machines: seal and custodians", no_args_is_help=True)
Name = Annotated[str, typer.Option("--machine", help="名称或机构代码 its name or organisation; default: the first")]
Threshold = Annotated[int, typer.Option(help="门限 how many shares open it")]
Holders = Annotated[int, typer.Option(help="保管人数 how many people get one")]
File = Annotated[Path, typer.Argument(help="备份文件 the back-up")]


@app.command()
def status(config: NodeFile = None) -> None:
    """各加密机的封存状态 The seal of each machine of the node; status 1 when one is sealed or does not answer."""
    from sheka.foundation.refusals import Refused

    node, shut = _node(config), False
    for entry in node.machines:
        try:
            with _client(node, entry.name) as machine:
                info = machine.describe()
        except Refused as refusal:
            typer.echo(f"✗ {entry.name} {entry.organisation}  {refusal.number} {refusal.text('zh-Hans')}")
            shut = True
            continue
        shut |= info.sealed
        said = f"已封存 sealed, {info.presented}/{info.threshold}" if info.sealed else "已开封 open"
        holders = f"{info.threshold} / {info.holders} 保管人 custodians" if info.threshold else "未分割 not shared out"
        typer.echo(f"{'✗' if info.sealed else '✓'} {entry.name} {entry.organisation}  {said}  ({holders})")
        if not info.sealed:
            typer.echo(f"  {info.keys} 密钥 keys · 日志 log {info.log_entries} · {info.log_head}")
    if shut:
        raise typer.Exit(1)


@app.command()
def unseal(
    holder: Annotated[int, typer.Argument(help="份额编号 number of the share")],
    name: Name = "",
    config: NodeFile = None,
) -> None:
    """提交一份份额，输入不显示 Present one share; what is typed is not shown."""
    from sheka.equipment.encryption_machine.sealed_entry import seal_for

    with _client(_node(config), name) as machine:
        key = machine.entry_key()
        share = typer.prompt("份额 share", hide_input=True)
        _say(machine.unseal(holder, key.id, seal_for(key.public_key, key.id, share.encode())))


@app.command()
def seal(name: Name = "", config: NodeFile = None) -> None:
    """立即封存 Seal it now: it forgets its keys until the custodians come."""
    with _client(_node(config), name) as machine:
        _say(machine.seal())


@app.command("share-out")
def share_out(threshold: Threshold = 2, holders: Holders = 3, name: Name = "", config: NodeFile = None) -> None:
    """分割给新的保管人，原份额作废 Share the seal out anew; earlier shares are void once everybody has theirs."""
    from sheka.equipment.encryption_machine.sealed_entry import new_key

    keys = [new_key() for _ in range(holders)]
    with _client(_node(config), name) as machine:
        offered = machine.offer_shares(threshold, [public for _, public in keys])
        _hand_out(keys, offered.sealed)
        _say(machine.confirm_shares(offered.set))


@app.command("back-up")
def back_up(
    file: File, threshold: Threshold = 2, holders: Holders = 3, name: Name = "", config: NodeFile = None
) -> None:
    """备份密钥库 Write the store, wrapped, to a new file; its shares go to the custodians."""
    from sheka.equipment.encryption_machine.files import write_whole
    from sheka.equipment.encryption_machine.sealed_entry import new_key
    from sheka.foundation.refusals import Code, Refused

    if file.exists():
        raise Refused(Code.SERVER_FOLDER_UNWRITABLE, folder=file, reason="exists")
    keys = [new_key() for _ in range(holders)]
    with _client(_node(config), name) as machine:
        content, sealed = machine.back_up(threshold, [public for _, public in keys])
        _hand_out(keys, sealed)
        write_whole(file, content)
        typer.echo(f"✓ {file}  {len(content)} B · 日志 log {machine.describe().log_head}")


@app.command()
def restore(file: File, name: Name = "", config: NodeFile = None) -> None:
    """把备份交给空的加密机 Hand a back-up to an empty machine; then its custodians unseal it."""
    with _client(_node(config), name) as machine:
        _say(machine.restore(file.read_bytes()))


def _node(config: Path | None) -> NodeConfig:
    import os

    from sheka.equipment.server.node import VARIABLE, NodeConfig

    return NodeConfig.load(config or os.environ.get(VARIABLE) or DEMO)


def _client(node: NodeConfig, name: str) -> EncryptionMachine:
    from sheka.equipment.encryption_machine.client import EncryptionMachine

    found = node.machine(name or node.machines[0].name).name
    return EncryptionMachine(node.machine_address(found), "systems", node.machine_secret(found))


def _say(progress: Progress) -> None:
    if progress.sealed:
        typer.echo(f"✓ 已封存 sealed, {progress.presented}/{progress.needed}")
    else:
        typer.echo("✓ 已开封 open")


def _hand_out(keys: list[Any], sealed: list[bytes]) -> None:
    """Show each holder the own share, alone at the screen, until it is typed back from the paper."""
    from sheka.equipment.encryption_machine.sealed_entry import entry_id_of, open_with

    for holder, ((private, public), share) in enumerate(zip(keys, sealed, strict=True), 1):
        read_alone(holder, open_with(private, entry_id_of(public), share).decode())
