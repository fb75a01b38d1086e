"""`sheka carrier`: key carrier cards (K5): list the virtual ones, read what one carries, change its PIN.

The PIN is asked for without echo and appears nowhere; secure messaging goes through the organisation's machine.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sheka.faces.cli.card import WORLD, Json, World, stay_inserted
from sheka.faces.cli.operator import NodeFile, open_node

if TYPE_CHECKING:
    from sheka.equipment.card_reader.key_carrier import KeyCarrierSession
    from sheka.equipment.initialisation.carrier_drawer import CarrierDrawer

app = typer.Typer(help="密钥载体 key carrier cards", no_args_is_help=True)
Serial = Annotated[str, typer.Argument(help="序列号 serial, 20 digits")]
Reader = Annotated[
    int | None, typer.Option("--reader", help="改用 PC/SC 读卡器序号 use this PC/SC reader instead of the drawer")
]
Place = Annotated[
    str, typer.Option("--organisation", help="用哪个机构的加密机 whose encryption machine; default: first")
]


@app.command("list")
def list_carriers(world: World = WORLD, as_json: Json = False) -> None:
    """列出虚拟载体与PSAM List the virtual carriers and PSAMs of a world by kind."""
    from sheka.foundation.chip.devices.profile import DeviceKind, device_profile

    found = drawer(world)
    rows = {str(kind): found.serials(kind) for kind in DeviceKind}
    if as_json:
        typer.echo(json.dumps(rows))
        return
    for kind in DeviceKind:
        profile = device_profile(kind)
        for serial in rows[kind]:
            typer.echo(f"{serial}\t{profile.title_zh} {profile.title_en}")


@app.command()
def insert(
    serial: Serial,
    port: Annotated[int, typer.Option(help="vpcd 端口 port of the virtual reader's slot")] = 35963,
    host: Annotated[str, typer.Option(help="vpcd 主机 host of the virtual reader")] = "127.0.0.1",
    world: World = WORLD,
) -> None:
    """把虚拟载体插入虚拟读卡器，Ctrl-C 取出 Put a virtual carrier into the virtual reader; Ctrl-C takes it out."""
    stay_inserted(drawer(world).chip(serial), serial, host, port)


@app.command()
def contents(
    serial: Serial,
    reader: Reader = None,
    place: Place = "",
    world: World = WORLD,
    config: NodeFile = None,
    as_json: Json = False,
) -> None:
    """读载体内容清单 Show names, versions and check values of what a carrier carries; asks for its PIN."""
    with _session(serial, reader, place, world, config) as session:
        session.authenticate(_pin("密码 PIN"))
        found = session.contents()
    rows = [
        {"name": i.name, "version": i.version, "algorithm": i.algorithm, "check_value": i.check_value}
        for i in found.items
    ]
    if as_json:
        typer.echo(json.dumps({"serial": serial, "label": found.label, "items": rows}, ensure_ascii=False))
        return
    typer.echo(f"{serial}\t{found.label or '空 empty'}")
    for row in rows:
        typer.echo(f"{row['name']} v{row['version']} {row['algorithm']}\t{row['check_value']}")


@app.command("change-pin")
def change_pin(
    serial: Serial, reader: Reader = None, place: Place = "", world: World = WORLD, config: NodeFile = None
) -> None:
    """修改载体密码 Change a carrier's PIN; the new one is asked for twice."""
    with _session(serial, reader, place, world, config) as session:
        old = _pin("原密码 old PIN")
        session.change_pin(old, str(typer.prompt("新密码 new PIN", hide_input=True, confirmation_prompt=True)))
    typer.echo(f"✓ 密码已修改 the PIN was changed: {serial}")


def drawer(world: Path) -> CarrierDrawer:
    """The drawer of a world's virtual carriers and PSAMs."""
    from sheka.equipment.initialisation.carrier_drawer import IN_NODE, CarrierDrawer

    return CarrierDrawer(world / IN_NODE)


@contextmanager
def _session(
    serial: str, number: int | None, place: str, world: Path, config: Path | None
) -> Iterator[KeyCarrierSession]:
    """The carrier of that serial in a session; Refused(CARRIER_OTHER) when another one is in the reader."""
    node = open_node(config)
    from sheka.equipment.card_reader.key_carrier import KeyCarrierSession
    from sheka.equipment.card_reader.pcsc import PcscReader
    from sheka.equipment.initialisation.device_keys import carrier_keys
    from sheka.foundation.refusals import Code, Refused
    from sheka.systems.keys.machines import machine_of

    keys = carrier_keys(machine_of(place or node.organisations[0]))
    with KeyCarrierSession(drawer(world).reader(serial) if number is None else PcscReader(number), keys) as session:
        if session.serial != serial:
            raise Refused(Code.CARRIER_OTHER, got=session.serial, expected=serial)
        yield session


def _pin(words: str) -> str:
    return str(typer.prompt(words, hide_input=True))
