"""`sheka jobs`: what the worker has to do, how far it is, and the verbs of an operator."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from sheka.faces.cli.operator import NodeFile, open_node, operator

if TYPE_CHECKING:
    from sheka.office.jobs.models import JobRun

FOLLOW_SECONDS = 0.5
WORDS = {
    "queued": "排队 queued",
    "waiting": "待重试 to be tried again",
    "running": "运行 running",
    "done": "[green]完成 done[/green]",
    "refused": "[yellow]被拒绝 refused[/yellow]",
    "dead": "[red]失败 dead[/red]",
    "cancelled": "已取消 cancelled",
}
app = typer.Typer(help="后台任务 jobs", no_args_is_help=True)
Number = Annotated[int, typer.Argument(help="任务编号 number of the job")]
State = Annotated[str | None, typer.Option(help=f"状态 only in this state: {', '.join(WORDS)}")]


@app.command("list")
def list_(config: NodeFile = None, state: State = None, limit: int = 30) -> None:
    """列出任务，最新的在前 List the jobs of the node, the newest first."""
    open_node(config)
    from rich.console import Console
    from rich.table import Table

    from sheka.office.jobs.models import JobRun
    from sheka.office.scope import whole_node

    table = Table("编号 no.", "任务 job", "提交人 by", "机构 for", "状态 state", "进度 progress", "提交 asked")
    with whole_node("an operator looks at every job of the node"):
        rows = JobRun.objects.filter(state=state) if state else JobRun.objects.all()
        for run in rows[:limit]:
            asked = f"{run.asked_at.astimezone():%m-%d %H:%M:%S}"
            word = WORDS[run.state]
            table.add_row(str(run.pk), run.name, run.starter, run.organisation_id, word, _progress(run), asked)
    Console().print(table)


@app.command()
def show(
    number: Number,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="看到结束 stay until it is over")] = False,
    config: NodeFile = None,
) -> None:
    """查看一项任务 Show a job; status 1 when it ended without its result."""
    node = open_node(config)
    from rich.console import Console
    from rich.live import Live

    from sheka.office.jobs.queries import run_of
    from sheka.office.scope import whole_node

    actor, console = operator(node), Console()
    with whole_node("an operator looks at a job of the node"):
        run = run_of(actor, number)
        if follow and run.alive:
            with Live(_sheet(run), console=console, refresh_per_second=4) as live:
                while run.alive:
                    time.sleep(FOLLOW_SECONDS)
                    run.refresh_from_db()
                    live.update(_sheet(run))
        else:
            console.print(_sheet(run))
    if run.state in {"dead", "refused", "cancelled"}:
        raise typer.Exit(1)


@app.command()
def cancel(number: Number, config: NodeFile = None) -> None:
    """取消任务 Ask a job to stop."""
    node = open_node(config)
    from sheka.office.jobs.actions.cancel_job import cancel_job
    from sheka.office.scope import whole_node

    with whole_node("an operator may stop every job of the node"):
        run = cancel_job(operator(node), run_id=number)
    typer.echo(f"✓ {number} {run.name}: {run.state}" + (" → 停止中 stopping" if run.alive else ""))


@app.command()
def retry(number: Number, config: NodeFile = None) -> None:
    """再次运行 Run a dead, refused or cancelled job again."""
    node = open_node(config)
    from sheka.office.jobs.actions.run_job_again import run_job_again
    from sheka.office.scope import whole_node

    with whole_node("an operator may start every job of the node again"):
        run = run_job_again(operator(node), run_id=number)
    typer.echo(f"✓ {number} {run.name}: {run.state}")


def _progress(run: JobRun) -> str:
    if run.percent is None:
        return "" if run.done is None else f"{run.done:,}"
    return f"{run.percent} %"


def _sheet(run: JobRun):  # type: ignore[no-untyped-def]
    from rich.table import Table

    table = Table(show_header=False, box=None)
    table.add_row("编号 no.", str(run.pk))
    table.add_row("任务 job", run.name)
    table.add_row("提交人 by", f"{run.starter} ({run.organisation_id})")
    table.add_row("状态 state", WORDS[run.state])
    table.add_row("进度 progress", _bar(run))
    table.add_row("次数 attempts", f"{run.attempts} / {run.bound}")
    if run.note:
        table.add_row("", f"{run.note} {run.note_en if run.note_en != run.note else ''}")
    if run.result:
        table.add_row("结果 result", str(run.result))
    if run.failure:
        table.add_row("原因 why", f"{run.failure['number']} {run.failure['zh']}{run.failure['zh_do']}")
        table.add_row("", f"{run.failure['en']} {run.failure['en_do']}")
    return table


def _bar(run: JobRun):  # type: ignore[no-untyped-def]
    from rich.progress_bar import ProgressBar

    if run.percent is None:
        return _progress(run)
    return ProgressBar(total=100, completed=run.percent, width=40)
