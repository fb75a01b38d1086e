"""`sheka archive`: days of transactions as Parquet: what there is, writing, proving, searching, putting back (S4).

Taking a day out of the database is asked for and approved by two people at the console; an operator cannot do it here.
"""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Annotated, Any

import typer

from sheka.faces.cli.operator import NodeFile, open_node, operator

STATES = {"attached": "在库并已归档 archived, rows in the database", "detached": "已分离 the files alone"}
app = typer.Typer(help="交易归档 the archive of transactions", no_args_is_help=True)
Day = Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="业务日 business day")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON")]


@app.command("list")
def list_(config: NodeFile = None, as_json: AsJson = False) -> None:
    """列出归档与待归档的业务日 List archived days, and those that the policy wants archived."""
    open_node(config)
    from django.utils import timezone

    from sheka.systems.transactions.archive import archives, due_days

    rows: list[dict[str, Any]] = [
        {
            "day": str(one),
            "state": one.state,
            "rows": one.rows,
            "amount": one.amount,
            "bytes": one.bytes,
            "content": one.content,
        }
        for one in archives()
    ]
    due = [day.isoformat() for day in due_days(timezone.localdate())]
    if as_json:
        typer.echo(json.dumps({"archives": rows, "due": due}, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("业务日 day", "状态 state", "笔数 rows", "文件 MiB")
    for row in rows:
        table.add_row(row["day"], STATES[row["state"]], f"{row['rows']:,}", f"{row['bytes'] / 1048576:.1f}")
    Console().print(table)
    typer.echo(f"待归档 due: {', '.join(due) or '-'}")


@app.command()
def write(day: Day, config: NodeFile = None) -> None:
    """归档一个业务日，数据仍留在库中 Write a closed, cleared day to Parquet and read it back; its rows stay."""
    node = open_node(config)
    from sheka.systems.transactions.actions.archive_day import write_archive

    made = write_archive(operator(node), day=day.date())
    typer.echo(f"✓ {made}: {made.rows:,} 笔 rows, {made.bytes:,} 字节 bytes, SM3 {made.content}")


@app.command()
def verify(day: Day, config: NodeFile = None) -> None:
    """核验归档文件 Prove an archived day: signature, digests, every row read again."""
    node = open_node(config)
    from sheka.systems.transactions.actions.archive_day import check_archive

    found = check_archive(operator(node), day=day.date())
    typer.echo(f"✓ {found}: {found.rows:,} 笔 rows, SM3 {found.content}")


@app.command()
def restore(day: Day, config: NodeFile = None) -> None:
    """恢复已分离的业务日 Put a detached day back from its file, prove it equal and attach it."""
    node = open_node(config)
    from sheka.systems.transactions.actions.archive_day import restore_archive

    found = restore_archive(operator(node), day=day.date())
    typer.echo(f"✓ {found}: {found.rows:,} 笔 rows")


@app.command()
def find(
    purpose: Annotated[str, typer.Option(help="用途，将写入审计 what for; it is audited")],
    card: Annotated[str, typer.Option(help="卡号 card number")] = "",
    terminal: Annotated[str, typer.Option(help="终端编号 terminal")] = "",
    rrn: Annotated[str, typer.Option(help="检索参考号 retrieval reference number")] = "",
    since: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="起 from")] = None,
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="止 to")] = None,
    config: NodeFile = None,
    as_json: AsJson = False,
) -> None:
    """在已分离的归档中查询 Search the files of detached days."""
    node = open_node(config)
    from sheka.systems.transactions.archive import Wanted, find_archived

    wanted = Wanted(card_number=card, terminal=terminal, rrn=rrn, since=_day(since), until=_day(until))
    rows = find_archived(operator(node), wanted, purpose=purpose)
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, default=str))
        return
    from rich.console import Console
    from rich.table import Table

    heads = (
        "业务日 day",
        "机构 institution",
        "终端 terminal",
        "流水 STAN",
        "类 kind",
        "卡号 card",
        "金额 fen",
        "拒绝 refusal",
    )
    table = Table(*heads)
    for row in rows:
        cells = ("business_date", "institution", "terminal", "stan", "kind", "card_number", "amount", "refusal")
        table.add_row(*(str(row[name]) for name in cells))
    Console().print(table)


@app.command()
def partitions(config: NodeFile = None, as_json: AsJson = False) -> None:
    """列出交易表分区及大小 List the partitions of the transactions with their sizes."""
    open_node(config)
    from sheka.systems.transactions.partitions import partitions as known

    rows = [{"name": one.name, "day": one.day and one.day.isoformat(), "bytes": one.bytes} for one in known()]
    if as_json:
        typer.echo(json.dumps(rows))
        return
    for row in rows:
        typer.echo(f"{row['name']}\t{row['bytes'] / 1048576:.1f} MiB")


def _day(given: datetime | None) -> date | None:
    return given.date() if given else None
