"""`sheka world`: the demo world of three levels on one machine (H1): run it, look at it, clear it."""

from __future__ import annotations

import os
import shutil
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sheka.foundation.refusals import Code, Refused

if TYPE_CHECKING:
    from rich.console import Console

    from sheka.equipment.server.node import NodeConfig

FOLDER = Path("var/demo")
PLAYED = "story-played"

app = typer.Typer(help="演示世界 the demo world", no_args_is_help=True)
Folder = Annotated[Path, typer.Option(help="目录 its folder")]


@app.command()
def run(
    folder: Folder = FOLDER,
    web_port: Annotated[int, typer.Option(help="首次启动时的网页端口 port of the console, first start")] = 8000,
    switch_port: Annotated[int, typer.Option(help="首次启动时的交易端口 port of the switch, first start")] = 8583,
    bare: Annotated[bool, typer.Option("--bare", help="不播种、不演示 without seeding and story")] = False,
) -> None:
    """运行，Ctrl-C 停止 Run it; Ctrl-C stops it. The first start seeds it and plays the story."""
    from sheka.equipment.server.node import NodeConfig

    run_node(NodeConfig.create_demo(folder, web_port=web_port, switch_port=switch_port), story=not bare)


@app.command()
def status(folder: Folder = FOLDER) -> None:
    """各进程与内存 Its processes and their memory. Status 1 when it does not run."""
    from rich.console import Console
    from rich.table import Table

    from sheka.equipment.server.lock import running
    from sheka.equipment.server.processes import family, memory_bytes

    state = running(folder)
    if state["pid"] is None:
        Console().print(f"未运行 not running: {folder}")
        raise typer.Exit(1)
    table = Table("进程 process", "pid", "状态 state", "重启 restarts", "MiB")
    total = memory_bytes(state["pid"])
    table.add_row("supervisor", str(state["pid"]), "ready", "0", f"{total >> 20}")
    for row in state["processes"]:
        used = sum(memory_bytes(pid) for pid in family(row["pid"])) if row["pid"] else 0
        total += used
        table.add_row(row["name"], str(row["pid"] or "-"), row["state"], str(row["restarts"]), f"{used >> 20}")
    table.add_row("合计 total", "", "", "", f"{total >> 20}")
    Console().print(table)


@app.command()
def reset(folder: Folder = FOLDER) -> None:
    """清除数据 Clear its data. A running world is not touched but refused."""
    from rich.console import Console

    from sheka.equipment.server.files import socket_folder
    from sheka.equipment.server.lock import NodeLock
    from sheka.equipment.server.postgres import PostgresCluster

    if not folder.exists():
        Console().print(f"没有数据 nothing to clear: {folder}")
        return
    require_demo(folder)
    lock = NodeLock(folder, "", orphan_seconds=15.0)
    lock.take()
    try:
        PostgresCluster(folder / "postgres").remove()
        shutil.rmtree(socket_folder(folder), ignore_errors=True)
        shutil.rmtree(folder)
    except OSError as error:
        raise Refused(Code.SERVER_FOLDER_UNWRITABLE, folder=error.filename, reason=error.strerror) from None
    finally:
        lock.release()
    Console().print(f"✓ 已清除 cleared: {folder}")


def require_demo(folder: Path) -> None:
    """Raise Refused(NODE_NOT_DEMO) unless the folder holds a demo node, or the beginnings of one."""
    path = folder / "node.toml"
    try:
        demo = tomllib.loads(path.read_text("utf-8")).get("demo") is True
    except FileNotFoundError:
        demo = {one.name for one in folder.iterdir()} <= {"secrets.toml", "supervisor.lock", "supervisor.json", "logs"}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        demo = False
    if not demo:
        raise Refused(Code.NODE_NOT_DEMO, folder=folder)


def run_node(node: NodeConfig, *, story: bool) -> None:
    """Run a node in the foreground until a signal ends it; with `story` play the demo on the first start."""
    from rich.console import Console

    from sheka.equipment.server.machine_user import notices as machine_notices
    from sheka.equipment.server.node import node_environment
    from sheka.equipment.server.supervisor import Supervisor
    from sheka.faces.cli.node_processes import start_node

    console = Console(highlight=False)
    with Supervisor(folder=node.folder) as supervisor:
        node = node.upgraded()
        start_node(supervisor, node, lambda name, seconds: console.print(f"  ✓ {name} [dim]{seconds:.1f} s[/dim]"))
        for chinese, english in (*(node.cluster.notices if node.embedded else ()), *machine_notices(node)):
            console.print(f"  [dim]{chinese} {english}[/dim]")
        os.environ.update(node_environment(node))
        if story:
            play_demo(node, console)
        console.print(f"\n社卡 Sheka  [bold]http://{node.web.host}:{node.web.port}[/bold]")
        if story:
            greet(console)
        console.print("[dim]Ctrl-C 停止 stops it[/dim]")
        supervisor.wait()
    console.print("已停止 stopped")


def play_demo(node: NodeConfig, console: Console) -> None:
    """Seed the demo world and play the story, once in the life of its data."""
    from sheka.faces.cli import demo

    played = node.folder / PLAYED
    if not played.exists():
        demo.play(console)
        played.touch()


def greet(console: Console) -> None:
    """Say the demo's log-ins and what to try."""
    from sheka.faces.cli import demo

    demo.greet(console)


if __name__ == "__main__":
    sys.exit(app())
