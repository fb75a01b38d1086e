"""`sheka node`: make and run a node of a real installation: one level, the organisations that it hosts (design §4)."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated, Literal

import typer

from sheka.faces.cli.operator import NodeFile, open_node, operator

app = typer.Typer(help="节点 a node: one installation", no_args_is_help=True)


@app.command()
def create(
    folder: Annotated[Path, typer.Argument(help="新目录 its new folder")],
    name: Annotated[str, typer.Option(help="名称 its name, e.g. haikou")],
    level: Annotated[Literal["ministry", "province", "city"], typer.Option(help="层级 its level")],
    organisation: Annotated[list[str], typer.Option(help="机构代码 code of an organisation that it hosts; repeatable")],
    web_port: Annotated[int, typer.Option(help="网页端口 port of the console")] = 8000,
    switch_port: Annotated[int, typer.Option(help="交易端口 port of the switch")] = 8583,
) -> None:
    """建立节点文件和密码 Write node.toml and secrets.toml, with an encryption machine for each organisation."""
    from sheka.equipment.server.node import NodeConfig

    machines = {f"m{code}": code for code in organisation}
    node = NodeConfig.create(
        folder, name=name, level=level, machines=machines, web_port=web_port, switch_port=switch_port
    )
    typer.echo(f"✓ {node.path}")


@app.command("database-roles")
def database_roles(
    database: Annotated[str, typer.Option(help="数据库名 name of the database")] = "sheka",
) -> None:
    """为另一个 PostgreSQL 集群输出建立角色的 SQL Print the SQL that makes the roles in a cluster of your own."""
    from sheka.equipment.server.postgres_databases import NAME
    from sheka.equipment.server.postgres_roles import script
    from sheka.foundation.refusals import Code, Refused

    if NAME.fullmatch(database) is None:
        raise Refused(Code.POSTGRES_DATABASE_NAME, name=database)
    typer.echo(script(database), nl=False)


@app.command()
def run(config: Annotated[Path, typer.Option(help="节点文件 the node's file")]) -> None:
    """运行节点，Ctrl-C 停止 Run it in the foreground; Ctrl-C or SIGTERM stops it."""
    from sheka.equipment.server.node import NodeConfig
    from sheka.faces.cli.world import run_node

    run_node(NodeConfig.load(config), story=False)


@app.command()
def status(config: NodeFile = None) -> None:
    """各部分的状态 The health of its parts; status 1 when something must be acted on now."""
    node = open_node(config)
    from rich.console import Console
    from rich.table import Table

    from sheka.office.operations.health.checks import STOP, worst
    from sheka.office.operations.health.queries import health_of_node

    logging.getLogger("sheka.health").setLevel(logging.CRITICAL)  # the table says which check broke
    colours = {"good": "green", "wait": "yellow", "stop": "red", "still": "dim"}
    checks = health_of_node(operator(node))
    table = Table("部分 part", "状态 state", "情况 what", "起 since", box=None, pad_edge=False)
    for check in checks:
        colour = colours[check.state]
        word = f"[{colour}]{check.word.zh} {check.word.en}[/{colour}]"
        since = f"{check.since.astimezone():%m-%d %H:%M}" if check.since else ""
        table.add_row(f"{check.title.zh} {check.title.en}", word, f"{check.text.zh}\n[dim]{check.text.en}[/dim]", since)
        if check.todo.zh:
            table.add_row("", "", f"→ {check.todo.zh}\n[dim]→ {check.todo.en}[/dim]", "")
    Console().print(table)
    if worst(checks) == STOP:
        raise typer.Exit(1)
