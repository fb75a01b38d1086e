"""`sheka bench`: the figures of the project, one module of the folder bench/ each, with `run(long) -> list[Figure]`."""

from __future__ import annotations

import importlib
import inspect
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from sheka.foundation.refusals import Code, Refused

ROOT = Path(__file__).resolve().parents[4]


def bench(
    name: Annotated[str, typer.Argument(help="名称或 all its name, or all")],
    as_json: Annotated[bool, typer.Option("--json", help="JSON")] = False,
    long: Annotated[bool, typer.Option("--long", help="更多轮次 more rounds, no limit of time")] = False,
    rows: Annotated[int | None, typer.Option(help="switch：已有交易笔数 with so many purchases booked before")] = None,
    minutes: Annotated[float | None, typer.Option(help="switch：持续分钟数 memory under load for so long")] = None,
    times: Annotated[int | None, typer.Option(help="faults：每种故障的次数 rounds of each fault")] = None,
) -> None:
    """测量性能 Measure. With --json one object {bench, machine, figures}; for all a list of them."""
    known = benches()
    if name != "all" and name not in known:
        raise Refused(Code.BENCH_UNKNOWN, bench=name, known=", ".join(known) or "-")
    asked = {"rows": rows, "minutes": minutes, "times": times}
    options = {option: value for option, value in asked.items() if value is not None}
    reports = [measure(one, long=long, **options) for one in (known if name == "all" else [name])]
    if as_json:
        found: Any = reports if name == "all" else reports[0]
        typer.echo(json.dumps(found, ensure_ascii=False, indent=1))
    else:
        show(reports)


def benches() -> list[str]:
    """The names of the benches of this checkout."""
    return sorted(path.stem for path in (ROOT / "bench").glob("*.py") if "\ndef run(" in path.read_text("utf-8"))


def measure(name: str, *, long: bool, **options: float) -> dict[str, Any]:
    """Run one bench; its report. Raises Refused(BENCH_OPTION) for an option that it does not know."""
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    module, figures = importlib.import_module(f"bench.{name}"), importlib.import_module("bench.figures")
    for option in options:
        if option not in inspect.signature(module.run).parameters:
            raise Refused(Code.BENCH_OPTION, bench=name, option=f"--{option}")
    report: dict[str, Any] = figures.report(name, module.run(long, **options))
    return report


def show(reports: list[dict[str, Any]]) -> None:
    """The figures as a table."""
    from rich.console import Console
    from rich.table import Table

    table = Table("figure", "value", "unit", "ratio", "baseline")
    for report in reports:
        for row in report["figures"]:
            ratio = "" if row["ratio"] is None else f"{row['ratio']:g}"
            table.add_row(row["name"], f"{row['value']:g}", row["unit"], ratio, row["baseline"])
    Console().print(table)
