"""`sheka ledger deposit FILE`: a file of deposits on this machine is checked, and booked when it is released (S6).

It is read where it lies, line by line. Killed at any moment, the same command goes on: the file is known by its digest
and each line by its number.
"""

from __future__ import annotations

import getpass
import json
from pathlib import Path
from typing import Annotated

import typer

from sheka.faces.cli.operator import NodeFile, open_node


def deposit(
    file: Annotated[
        Path, typer.Argument(help="入账文件，可为gzip the file, gzip is taken too", exists=True, dir_okay=False)
    ],
    release: Annotated[bool, typer.Option("--release", help="核对后即放行记账 book it when it is checked")] = False,
    config: NodeFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON")] = False,
) -> None:
    """以文件入账 Check a file of deposits; with --release book it, where the policy lets one person do both."""
    open_node(config)
    from rich.console import Console

    from sheka.foundation.refusals import Code, Refused
    from sheka.office.staff.actors import Actor
    from sheka.systems.accounts.actions.book_deposit_file import book_deposit_file
    from sheka.systems.accounts.actions.receive_deposit_file import (
        check_deposit_file,
        release_deposit_file,
        take_deposit_file,
    )
    from sheka.systems.accounts.deposit_file import DepositReader

    console = Console(stderr=True)
    with file.open("rb") as source, console.status("读取 reading") as status:
        organisation = DepositReader(source, most_lines=1).header.organisation
        source.seek(0)
        actor = Actor.process(f"operator:{getpass.getuser()}", organisation)
        row, _ = take_deposit_file(actor, name=file.name, source=source)
        row = check_deposit_file(
            actor, number=row.number, source=source, tell=lambda done: status.update(f"核对 checked {done:,}")
        )
        if release and row.state == "ready":
            row = release_deposit_file(actor, number=row.number, background=False)
        if release and row.state == "booking":
            row = book_deposit_file(
                actor, row.number, lambda done, total: status.update(f"记账 booked {done:,} / {total:,}")
            )
    facts = {
        "number": row.number,
        "state": row.state,
        "lines": row.lines,
        "total": row.total,
        "booked": row.booked,
        "booked_total": row.booked_total,
        "refused": row.refused,
    }
    if as_json:
        typer.echo(json.dumps(facts))
    else:
        for name, value in facts.items():
            typer.echo(f"{value}\t{name}")
    if row.fault:
        raise Refused(Code(row.fault["code"]), **row.fault["facts"])
