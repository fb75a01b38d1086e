"""`sheka exceptions`: whether anything abnormal has disappeared (S10)."""

from __future__ import annotations

import typer

from sheka.faces.cli.operator import NodeFile, open_node

SHOWN = 50
app = typer.Typer(help="异常交易 abnormal transactions", no_args_is_help=True)


@app.callback()
def about() -> None:
    """A group, also while it has one command."""


@app.command()
def check(config: NodeFile = None) -> None:
    """核对异常 Every abnormal row has its case, every ended case its entry or reason; status 1 when not."""
    open_node(config)
    from sheka.systems.exceptions.check import CHECKS, check_exceptions

    losses = check_exceptions()
    for loss in losses[:SHOWN]:
        typer.echo(f"✗ {loss.check}: {loss.subject}: {loss.fault}")
    if losses:
        typer.echo(f"共 in all {len(losses)}")
        raise typer.Exit(1)
    typer.echo(f"✓ 无异常遗失 nothing disappeared ({len(CHECKS) + 2} 项 checks)")
