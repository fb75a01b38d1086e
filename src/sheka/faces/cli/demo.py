"""The demonstration on a world that runs: the story with its progress, then who can sign in and what to try."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sheka.foundation.refusals import Code, Refused

if TYPE_CHECKING:
    from rich.console import Console


def play(console: Console) -> None:
    """Seed the running node and play the story, a line for each step. Raises Refused(STORY_STEP_FAILED)."""
    import django
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    django.setup()
    from sheka.equipment.server.node import NodeConfig
    from sheka.faces.story.book import STEPS, play_on

    with Progress(TextColumn("[bold]演示 story"), BarColumn(), MofNCompleteColumn(), console=console) as progress:
        bar = progress.add_task("story", total=len(STEPS))

        def tell(step, result) -> None:  # type: ignore[no-untyped-def]
            mark = "✓" if result.ok else "✗"
            progress.console.print(
                f"  {mark} [bold]{step.requirement:<4}[/bold]{step.zh} {step.en} [dim]{result.detail}[/dim]"
            )
            progress.advance(bar)

        results = play_on(NodeConfig.load(), tell)
    failed = next((result for result in results if not result.ok), None)
    if failed is not None:
        raise Refused(Code.STORY_STEP_FAILED, step=failed.text, detail=failed.detail)


def greet(console: Console) -> None:
    """The log-ins of the demonstration and what to try with them."""
    import django
    from rich.table import Table

    django.setup()
    from sheka.equipment.server.node import NodeConfig
    from sheka.faces.story.cast import CAST, demo_password
    from sheka.office.scope import whole_node
    from sheka.office.staff.queries import logins_among

    table = Table("登录名 log-in", "姓名 name", "岗位 role", box=None, pad_edge=False)
    with whole_node("the demonstration shows everybody's log-in"):
        known = logins_among(member.login for member in CAST)
    for member in CAST:
        if member.login in known:
            table.add_row(member.login, member.name, f"{member.zh} {member.en}")
    console.print(table)
    password = demo_password(NodeConfig.load().folder)
    console.print(f"密码 password  [bold]{password}[/bold]   动态口令在登录页显示 the code is shown at sign-in")
    console.print("试试 try: longhua-clerk → 卡片 Cards · haikou-auditor → 审计 Audit · hainan-keys → 密钥 Keys")
