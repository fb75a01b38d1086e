"""`sheka exceptions`: whether anything abnormal has disappeared (S10)."""

from __future__ import annotations

import typer

from sheka.faces.cli.operator import NodeFile, open_node

SHOWN = 50
CHINESE = {
    "abnormal rows without a case": "异常记录没有案件",
    "expired holds without a case": "到期的预授权没有案件",
    "differences of clearing days without a case": "清算日的差异没有案件",
    "requests without an answer, without a case": "未应答的请求没有案件",
    "disputes that ended without a decision": "争议未经裁定即结束",
    "disputes that were granted more than was claimed": "争议裁定金额超过主张金额",
    "cases that ended without an entry or a reason": "案件结束却没有入账或理由",
    "cases whose entry the ledger does not have": "案件所指的入账不在总账中",
    "an adjustment that is booked and stands in no case": "已入账的调整不属于任何案件",
    "cases whose life does not end where they stand": "案件经过与案件状态不符",
    "bookings whose switch died before it answered, without a case": "交易前置中断前未应答的入账没有案件",
    "settlements out of balance that nothing followed, without a case": "批结算不一致且无后续，没有案件",
}
"""What `check` looks at, by its English name."""
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
        typer.echo(f"✗ {CHINESE[loss.check]} {loss.check}: {loss.subject}: {loss.fault}")
    if losses:
        typer.echo(f"共 in all {len(losses)}")
        typer.echo(
            "案件由后台进程登记：先看 sheka node status；仍在的请保护现场并上报"
            "\nThe worker opens the cases: see sheka node status; what stays after a minute is preserved and reported"
        )
        raise typer.Exit(1)
    typer.echo(f"✓ 无异常遗失 nothing disappeared ({len(CHECKS) + 2} 项 checks)")
