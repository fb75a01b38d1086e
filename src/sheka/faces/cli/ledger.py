"""`sheka ledger`: the proof of the books (S6, C2)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from sheka.faces.cli.operator import NodeFile, open_node, operator

if TYPE_CHECKING:
    from sheka.systems.accounts.proofs import Proved

SHOWN = 10
"""Faults of a check that are listed: one check with a thousand hides no other."""
app = typer.Typer(help="总账 the ledger", no_args_is_help=True)


@app.callback()
def ledger() -> None:
    """总账 The ledger."""


@app.command()
def verify(
    config: NodeFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON")] = False,
) -> None:
    """核验总账 Recompute every balance and everything held from the entries; status 1 when something does not hold."""
    node = open_node(config)
    from rich.console import Console

    from sheka.systems.accounts.actions.verify_books import verify_books

    console = Console()
    if as_json:
        checks = verify_books(operator(node))
        typer.echo(json.dumps(_report(checks), ensure_ascii=False, indent=1))
    else:
        with console.status("核验 verifying") as status:
            checks = verify_books(operator(node), tell=lambda name: status.update(f"{name.zh}  {name.en}"))
        _show(console, checks)
    if not all(check.holds for check in checks):
        raise typer.Exit(1)


def _report(checks: list[Proved]) -> dict[str, object]:
    return {
        "holds": all(check.holds for check in checks),
        "seconds": round(sum(check.seconds for check in checks), 3),
        "checks": [
            {
                "name": check.name.en,
                "seconds": round(check.seconds, 3),
                "faults": [{"subject": fault.subject, "fault": fault.fault} for fault in check.faults],
            }
            for check in checks
        ],
    }


def _show(console, checks: list[Proved]) -> None:  # type: ignore[no-untyped-def]
    from rich.table import Column, Table

    table = Table("核验项 check", "", "结果 result", "秒 s")
    for check in checks:
        result = "[green]✓[/green]" if check.holds else f"[red]✗ {len(check.faults)}[/red]"
        table.add_row(check.name.zh, check.name.en, result, f"{check.seconds:.2f}")
    console.print(table)
    broken = [check for check in checks if not check.holds]
    if not broken:
        console.print("[green]✓ 总账平衡 the ledger holds[/green]")
        return
    whole = [Column(head, overflow="fold") for head in ("核验项 check", "对象 subject", "问题 finding")]
    found = Table(*whole)  # a number cut short names nothing
    for check in broken:
        for fault in check.faults[:SHOWN]:
            found.add_row(f"{check.name.zh} {check.name.en}", fault.subject, fault.fault)
        if len(check.faults) > SHOWN:
            found.add_row("", f"… 共 in all {len(check.faults):,}", "--json")
    console.print(found)
    console.print("[red]✗ 总账不平，请保护现场并上报 the ledger does not hold: preserve the system and report it[/red]")
    console.print(
        "  暂停清算和调账，先做物理备份，再核查所列账户和记账。\n  Stop clearing and adjustments, take a base backup"
        " first, then look into the accounts and postings that are named: docs/operations/README.md"
    )
