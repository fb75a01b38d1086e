"""`sheka ceremony`: the minutes of key ceremonies, verified by whoever has the file, without a node (K6)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="密钥仪式 key ceremonies", no_args_is_help=True)
Public = Annotated[
    list[str] | None,
    typer.Option(
        "--public",
        help="可信的加密机公钥，十六进制；不给出时请核对指纹 trusted key in hex; without one compare the fingerprint",
    ),
]


@app.callback()
def _group() -> None:
    """One command so far; it keeps its name."""


@app.command()
def verify(file: Annotated[Path, typer.Argument(help="会议记录 PDF the minutes")], public: Public = None) -> None:
    """核验会议记录的签名 Check the signature of minutes; status 1 when it is not one of the trusted keys."""
    from sheka.equipment.encryption_machine.envelopes import fingerprint
    from sheka.foundation.refusals import Code, Refused
    from sheka.systems.ceremonies.signing import read_signature

    try:
        content = file.read_bytes()
    except OSError as error:
        raise Refused(Code.CEREMONY_SIGNATURE, file=file, reason=error.strerror) from None
    try:
        trusted = {bytes.fromhex(one) for one in public or ()}
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--public") from None
    found = read_signature(content, str(file))
    typer.echo(f"{found.about}   {found.organisation}   {found.node}   {found.at.astimezone():%Y-%m-%d %H:%M:%S}")
    typer.echo(f"  SM3 {found.digest}")
    typer.echo(f"  加密机指纹 fingerprint of the machine {fingerprint(found.public)}")
    if not trusted:
        typer.echo("✓ 签名有效；请与登记的指纹核对 the signature holds: compare the fingerprint with the register")
    elif found.public in trusted:
        typer.echo("✓ 签名有效，加密机可信 the signature holds, and the machine is a trusted one")
    else:
        typer.echo("✗ 签名有效，但加密机不在可信之列 the signature holds, but of a machine that is not trusted")
        raise typer.Exit(1)
