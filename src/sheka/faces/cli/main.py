"""`sheka`: the command line, for operators and developers (H1). Commands stand in modules of their own and import late.

Whatever goes wrong ends in one sentence, Chinese and English, with what to do next, and a status that is not zero.
"""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

from sheka.foundation.refusals import Code, Refused

if TYPE_CHECKING:
    import typer

USAGE = 2
"""The status of a command that was not understood."""


def application() -> typer.Typer:
    """The whole command line."""
    import typer

    from sheka.faces.cli import (
        archive,
        audit,
        bench,
        card,
        carrier,
        ceremony,
        deposit,
        exceptions,
        jobs,
        ledger,
        line,
        machine,
        node,
        psam,
        story,
        world,
    )

    app = typer.Typer(
        help="社卡 · Sheka: 开放的社会保障卡平台 an open social security card platform",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.add_typer(world.app, name="world")
    app.add_typer(node.app, name="node")
    app.add_typer(card.app, name="card")
    app.add_typer(machine.app, name="machine")
    app.add_typer(line.app, name="line")
    app.add_typer(psam.app, name="psam")
    app.add_typer(carrier.app, name="carrier")
    app.add_typer(audit.app, name="audit")
    app.add_typer(archive.app, name="archive")
    app.add_typer(ceremony.app, name="ceremony")
    app.add_typer(exceptions.app, name="exceptions")
    app.add_typer(jobs.app, name="jobs")
    app.add_typer(ledger.app, name="ledger")
    ledger.app.command("deposit")(deposit.deposit)
    app.command("bench")(bench.bench)
    app.command("story")(story.story)
    return app


def main() -> None:
    """Run a command. A refusal or a missing package: its sentence on standard error and status 1."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a GBK terminal has no ✓: that ends no command
    try:
        application()()
    except SystemExit as leaving:
        if leaving.code == USAGE:
            sys.stderr.write("✗ 命令或参数不对，加 -h 查看用法。 Not a command as it stands: -h shows the usage.\n")
        raise
    except Refused as refusal:
        sys.exit(tell(refusal))
    except ModuleNotFoundError as error:
        if (error.name or "sheka").split(".")[0] in {"sheka", "bench"}:
            raise
        sys.exit(tell(Refused(Code.SERVER_PACKAGE_MISSING, package=error.name)))
    except Exception as error:
        if (reason := silent(error)) is None:
            raise
        sys.exit(tell(Refused(Code.NODE_DATABASE_SILENT, reason=reason)))


def silent(error: BaseException | None) -> str | None:
    """What the database's driver says when there is nobody to talk to, in one line; None for any other error."""
    while error is not None:
        if type(error).__module__.startswith("psycopg") and type(error).__name__ == "OperationalError":
            state = getattr(error, "sqlstate", None)
            return str(error).strip().split("\n")[0][:300] if state is None or state[:2] in ("08", "57") else None
        error = error.__cause__
    return None


def tell(refusal: Refused) -> int:
    """Say a refusal in both languages on standard error; the exit status."""
    sys.stderr.write(f"✗ {refusal.number} {refusal.text('zh-Hans')}{refusal.todo('zh-Hans')}\n")
    sys.stderr.write(f"  {refusal.text('en')} {refusal.todo('en')}\n")
    return 1


if __name__ == "__main__":
    main()
