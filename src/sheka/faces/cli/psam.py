"""`sheka psam`: PSAMs in readers (K8, H4): put a virtual one into the second virtual slot, read what one holds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from sheka.faces.cli.card import WORLD, Json, World, stay_inserted

if TYPE_CHECKING:
    from sheka.equipment.card_reader.reader import Reader

PORT = 35964

app = typer.Typer(help="PSAM 终端安全模块 PSAMs in readers", no_args_is_help=True)
ReaderNumber = Annotated[int, typer.Option("--reader", help="PC/SC 读卡器序号 number of the PC/SC reader, from 0")]
Serial = Annotated[str, typer.Option("--psam", help="改读虚拟PSAM，序列号 read a virtual PSAM by its serial instead")]


@app.command()
def insert(
    serial: Annotated[str, typer.Argument(help="序列号 serial, 20 digits")],
    port: Annotated[int, typer.Option(help="vpcd 端口 port of the virtual reader's slot")] = PORT,
    host: Annotated[str, typer.Option(help="vpcd 主机 host of the virtual reader")] = "127.0.0.1",
    world: World = WORLD,
) -> None:
    """把虚拟PSAM插入第二卡槽，Ctrl-C 取出 Put a virtual PSAM into the second slot; Ctrl-C takes it out."""
    from sheka.faces.cli.carrier import drawer

    stay_inserted(drawer(world).chip(serial), serial, host, port)


@app.command()
def read(reader: ReaderNumber = 1, serial: Serial = "", world: World = WORLD, as_json: Json = False) -> None:
    """读PSAM信息 Show serial, terminal, counter and keys with their check values; never a key."""
    from sheka.equipment.card_reader.psam import PsamSession

    with PsamSession(_reader(reader, serial, world)) as session:
        found = session.information()
    keys = [
        {
            "name": key.name,
            "version": key.version,
            "algorithm": key.algorithm.name,
            "level": key.level.name.lower(),
            "check_value": key.check_value,
            "tries_left": key.tries_left,
        }
        for key in found.keys
    ]
    if as_json:
        rows = {"serial": found.serial, "terminal": found.terminal, "counter": found.counter, "keys": keys}
        typer.echo(json.dumps(rows))
        return
    typer.echo(f"{found.serial}\t序列号 serial")
    typer.echo(f"{found.terminal or '-'}\t终端机编号 terminal")
    typer.echo(f"{found.counter}\t终端交易序号 terminal transaction counter")
    for key in keys:
        typer.echo(f"{key['name']} v{key['version']} {key['algorithm']} {key['level']}\t{key['check_value']}")


def _reader(number: int, serial: str, world: World) -> Reader:
    from sheka.equipment.card_reader.pcsc import PcscReader
    from sheka.faces.cli.carrier import drawer

    return drawer(world).reader(serial) if serial else PcscReader(number)
