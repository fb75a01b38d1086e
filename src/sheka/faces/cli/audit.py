"""`sheka audit`: the head of the audit chain, and its verification against exported heads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sheka.faces.cli.operator import NodeFile, open_node

if TYPE_CHECKING:
    from sheka.office.audit.verify import Finding, Verdict

FAULTS = {
    "missing": "记录缺失 rows are missing",
    "edited": "记录被改动 the row was edited",
    "moved": "记录被换位 the row was moved",
    "unlinked": "与前一条断链 not linked to the row before it",
    "backdated": "时间早于前一条 dated before the row before it",
    "tail_cut": "链尾被截断 the tail was cut",
    "head_wrong": "与导出的链头不符 not what the exported head says",
    "head_foreign": "链头不是本节点签名 the head is not signed by this node",
    "head_order": "链头文件断链 the heads are not in their order",
}
SHOWN = 50
app = typer.Typer(help="审计链 the audit chain", no_args_is_help=True)
Export = Annotated[
    Path | None,
    typer.Option(
        "--export", help="链头文件或目录，默认本节点的目录 a file or folder of heads; default: the node's own"
    ),
]
Public = Annotated[
    list[str] | None,
    typer.Option(
        "--public", help="可信签名公钥，十六进制，默认向加密机查询 trusted key in hex; default: asks the machine"
    ),
]


@app.command()
def head(
    config: NodeFile = None,
    export: Annotated[bool, typer.Option("--export", help="签名并写入链头文件 sign it and add it to the file")] = False,
) -> None:
    """显示链头 Show the last row's number and hash; with --export sign and keep it."""
    open_node(config)
    from sheka.office.audit.heads import export_head, folder_of_heads, last_head
    from sheka.office.audit.trail import head as head_of_chain

    sequence, hash_ = head_of_chain()
    typer.echo(f"{sequence} {hash_.hex()}")
    if export:
        made = export_head(again=True)
        assert made is not None
        typer.echo(f"✓ {folder_of_heads() / made.place}")
    elif (last := last_head(folder_of_heads())) is not None:
        typer.echo(f"  上次导出 last exported: {last.sequence}  {last.at.astimezone():%Y-%m-%d %H:%M:%S}  {last.place}")


@app.command()
def verify(config: NodeFile = None, export: Export = None, public: Public = None) -> None:
    """核验审计链 Recompute the chain and compare it with exported heads; status 1 when something does not hold."""
    open_node(config)
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

    from sheka.office.audit.heads import own_heads, read_heads, signing_machine
    from sheka.office.audit.verify import verify as verify_chain

    if public:
        try:
            trusted = frozenset(bytes.fromhex(key) for key in public)
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="--public") from None
    else:
        with signing_machine() as machine:
            trusted = frozenset({machine.public_key()})
    console = Console()
    columns = ("[bold]核验 verifying", BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("rows", total=None)
        verdict = verify_chain(
            read_heads(export) if export else own_heads(),
            trusted,
            lambda done, total: progress.update(bar, completed=done, total=total),
        )
    _tell(console, verdict)
    if not verdict.holds:
        raise typer.Exit(1)


def _tell(console, verdict: Verdict) -> None:  # type: ignore[no-untyped-def]
    from rich.table import Table

    sequence, hash_ = verdict.last
    console.print(f"记录 rows {verdict.rows:,}   末条 last {sequence:,} {hash_.hex()}   {verdict.seconds:.1f} s")
    console.print(f"链头 heads {verdict.heads:,}   已锚定至 anchored up to {verdict.anchored:,}")
    if verdict.holds:
        console.print("[green]✓ 审计链完整 the chain holds[/green]")
        if sequence > verdict.anchored:
            console.print(f"  其后 {sequence - verdict.anchored:,} 条尚无链头佐证 rows after it are not yet anchored")
        return
    table = Table("序号 row", "问题 finding", "说明 detail")
    for finding in verdict.findings[:SHOWN]:
        table.add_row(f"{finding.sequence:,}", FAULTS[finding.fault], _detail(finding))
    console.print(table)
    if len(verdict.findings) > SHOWN:
        console.print(f"… 共 in all {len(verdict.findings):,}{'+' if verdict.more else ''}")
    console.print(
        "[red]✗ 审计链不完整，请保护现场并上报 the chain does not hold: preserve the system and report it[/red]"
    )


def _detail(finding: Finding) -> str:
    if finding.fault == "missing":
        return f"× {finding.detail}"
    return f"← {finding.detail}" if finding.fault == "moved" else finding.detail
