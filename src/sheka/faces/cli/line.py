"""`sheka line`: certificates of the line to institutions by the node's own authority; unlock a terminal (S4)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sheka.faces.cli.operator import NodeFile

if TYPE_CHECKING:
    from sheka.office.staff.actors import Actor

app = typer.Typer(help="交易线路 the line to institutions: certificates, locked terminals", no_args_is_help=True)
Code = Annotated[str, typer.Argument(help="机构代码 code of the institution")]


@app.command()
def authority(
    host: Annotated[list[str] | None, typer.Option(help="前置的名称或地址 names or addresses of the switch")] = None,
    config: NodeFile = None,
) -> None:
    """建立本节点的签发机构和前置证书 Make the node's own authority and the switch's certificate; say where they are."""
    from sheka.equipment.server.line_certificates import ensure_own
    from sheka.faces.cli.operator import open_node

    node = open_node(config)
    folder = node.line_files[0].parent
    ensure_own(folder, host or [node.switch.host, "localhost"])
    for path in node.line_files:
        typer.echo(str(path))


@app.command()
def certificate(
    code: Code,
    into: Annotated[Path, typer.Option(help="写到哪个目录 folder for certificate and key")],
    days: Annotated[int, typer.Option(help="有效天数 days that it is good for", min=1, max=1096)] = 365,
    config: NodeFile = None,
) -> None:
    """为机构签发并登记线路证书 Make and register a certificate for an institution, by the node's own authority."""
    from sheka.equipment.server.line_certificates import issue
    from sheka.faces.cli.operator import open_node
    from sheka.systems.transactions.actions.keep_certificates import add_certificate

    node = open_node(config)
    path = issue(node.line_files[0].parent, code, code, days=days, into=into)
    made = add_certificate(_bureau(code), code=code, pem=path.read_text())
    typer.echo(f"{path}\n{path.with_suffix('.key')}\n{made.fingerprint}  {made.valid_to:%Y-%m-%d}")


@app.command()
def unlock(
    number: Annotated[str, typer.Argument(help="终端编号 number of the terminal")],
    reason: Annotated[str, typer.Option(help="查到的原因 what was found")],
    config: NodeFile = None,
) -> None:
    """解锁因验证错误被锁定的终端 Give a terminal free that the switch locked."""
    from sheka.faces.cli.operator import open_node
    from sheka.systems.transactions.actions.keep_line import unlock_terminal

    open_node(config)
    unlock_terminal(_bureau_of_terminal(number), number=number, reason=reason)
    typer.echo(f"{number}  已解锁 unlocked")


def _bureau(code: str) -> Actor:
    """The operator, acting for the organisation of the institution."""
    from sheka.office.scope import whole_node
    from sheka.systems.transactions.queries_of_lines import organisation_of_institution

    with whole_node("an operator names an institution of any organisation of the node"):
        return _acting(organisation_of_institution(code))


def _bureau_of_terminal(number: str) -> Actor:
    from sheka.office.scope import whole_node
    from sheka.systems.transactions.queries_of_lines import organisation_of_terminal

    with whole_node("an operator names a terminal of any organisation of the node"):
        return _acting(organisation_of_terminal(number))


def _acting(organisation_code: str) -> Actor:
    import getpass

    from sheka.office.staff.actors import Actor

    return Actor.process(f"operator:{getpass.getuser()}", organisation_code)
