"""`sheka story`: play the life of a card on a temporary world of real processes, and write what held."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sheka.faces.story.stage import Step, StepResult


def story(
    json_file: Annotated[Path | None, typer.Option("--json", help="写出步骤 write the steps here")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="结束后删除其世界 remove its world at the end")] = False,
    language: Annotated[str, typer.Option(help="zh 或 en")] = "en",
) -> None:
    """演示一张卡的一生 The life of a card on a temporary world. Status 0 only if every step held."""
    folder = Path(tempfile.mkdtemp(prefix="sheka-story-"))
    folder.chmod(0o711)  # the database's own user passes through; the world's files keep their own modes
    try:
        results = _play(folder, language, fresh)
    finally:
        if fresh:
            shutil.rmtree(folder, ignore_errors=True)
    if json_file is not None:
        rows = [result.row() for result in results]
        json_file.write_text(json.dumps(rows, ensure_ascii=False, indent=2) + "\n", "utf-8")
    if not fresh:
        typer.echo(f"其世界保留在 its world is kept in {folder}: sheka world run --folder {folder}/world")
    if not all(result.ok for result in results):
        raise typer.Exit(1)


def _play(folder: Path, language: str, fresh: bool) -> list[StepResult]:
    import os

    import django
    from rich.console import Console

    from sheka.equipment.server.node import NodeConfig, node_environment
    from sheka.equipment.server.ports import free_port
    from sheka.equipment.server.supervisor import Supervisor
    from sheka.faces.cli.node_processes import start_node

    console = Console(stderr=True)
    node = NodeConfig.create_demo(folder / "world", web_port=free_port(), switch_port=free_port())

    def tell(step: Step, result: StepResult) -> None:
        mark = "✓" if result.ok else "✗"
        console.print(
            f"{mark} {step.requirement:<4}{result.text}  {result.detail}  {result.seconds:.1f} s", highlight=False
        )

    with Supervisor(folder=node.folder) as supervisor:
        start_node(supervisor, node, lambda name, seconds: None)
        os.environ.update(node_environment(node))
        django.setup()
        from sheka.faces.story.book import play_on

        results = play_on(node, tell, language)
        from django.db import connections

        connections.close_all()
    if fresh and node.embedded:
        node.cluster.remove()
    return results
