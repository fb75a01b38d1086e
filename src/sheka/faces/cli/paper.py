"""What one person alone reads from the screen, writes on paper and types back: shares, components (K6)."""

from __future__ import annotations

import typer

CLEAR = "\033[2J\033[3J\033[H"
"""The screen and what was scrolled away are gone."""


def read_alone(holder: int, text: str) -> None:
    """Show a secret to its holder until it is typed back from the paper."""
    typer.prompt(
        f"第 {holder} 号保管人独自到屏幕前，按回车 Holder {holder}, alone here, press Enter", "", show_default=False
    )
    while True:
        typer.echo(f"\n{holder}:\n{_in_lines(text)}\n")
        typer.prompt("抄在纸上，按回车 Write it on paper, press Enter", "", show_default=False)
        typer.echo(CLEAR)
        if _bare(typer.prompt("从纸面重新输入 Type it from the paper", hide_input=True)) == _bare(text):
            break
        typer.echo("✗ 不一致，请更正 It differs; correct the paper")


def _in_lines(text: str) -> str:
    groups = text.split()
    return "\n".join("  ".join(groups[at : at + 6]) for at in range(0, len(groups), 6))


def _bare(text: str) -> str:
    return "".join(text.split()).replace("-", "").upper()
