"""`sheka card`: cards in readers (H4): put a virtual one into the virtual reader, read one, examine one (R7)."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from sheka.faces.cli.operator import NodeFile, open_node, operator

if TYPE_CHECKING:
    from sheka.equipment.card_reader.reader import Chip, Reader
    from sheka.equipment.initialisation.drawer import ChipDrawer

PORT = 35963
MARKS = {"passed": "✓", "failed": "✗", "not_made": "-"}
WORLD = Path("var/demo")

app = typer.Typer(help="卡与读卡器 cards and readers", no_args_is_help=True)
World = Annotated[Path, typer.Option(help="虚拟卡所在的世界 the world whose virtual cards are meant")]
ReaderNumber = Annotated[int, typer.Option("--reader", help="PC/SC 读卡器序号 number of the PC/SC reader, from 0")]
CardNumber = Annotated[str, typer.Option("--card", help="改读虚拟卡，卡号 read a virtual card by its number instead")]
Json = Annotated[bool, typer.Option("--json", help="JSON")]


@app.command()
def insert(
    card_number: Annotated[str, typer.Argument(help="卡号 card number")],
    port: Annotated[int, typer.Option(help="vpcd 端口 port of the virtual reader's slot")] = PORT,
    host: Annotated[str, typer.Option(help="vpcd 主机 host of the virtual reader")] = "127.0.0.1",
    world: World = WORLD,
) -> None:
    """把虚拟卡插入虚拟读卡器，Ctrl-C 取出 Put a virtual card into the virtual reader; Ctrl-C takes it out."""
    stay_inserted(drawer(world).card(card_number), card_number, host, port)


@app.command()
def read(reader: ReaderNumber = 0, card: CardNumber = "", world: World = WORLD, as_json: Json = False) -> None:
    """读卡的公开信息 Show what a card says publicly: no personal data."""
    from sheka.equipment.card_reader.session import CardSession

    with CardSession(_reader(reader, card, world)) as session:
        session.select_sse()
        found = session.read_public_identity()
        rows = {
            "卡号 card number": found.card_number.text,
            "卡的识别码 identification code": found.identification_code.text,
            "卡的类别 class": found.card_class,
            "规范版本 version": found.specification_version,
            "初始化机构 initialising organisation": found.organisation.text,
            "发卡日期 issued": found.issue_date.isoformat(),
            "有效期至 expires": found.expiry_date.isoformat(),
            "算法 algorithm": session.algorithm.name,
            "复位应答 ATR": session.atr.hex().upper(),
        }
    if as_json:
        typer.echo(json.dumps({name.split(" ", 1)[1]: value for name, value in rows.items()}, ensure_ascii=False))
        return
    for name, value in rows.items():
        typer.echo(f"{value}\t{name}")


@app.command()
def examine(reader: ReaderNumber = 0, card: CardNumber = "", world: World = WORLD, as_json: Json = False) -> None:
    """检测芯片能否读写 Examine the chip: can it be read? Status 1 when it cannot."""
    from sheka.equipment.card_reader.examination import examine as examine_chip

    finding = examine_chip(_reader(reader, card, world))
    if as_json:
        typer.echo(json.dumps(finding.as_record(), ensure_ascii=False))
    else:
        for step in finding.steps:
            typer.echo(f"{'✓' if step.ok else '✗'} {step.status or '----'} {step.step.zh} {step.step.en}")
        typer.echo(f"{finding.sentence.zh} {finding.sentence.en}")
    if not finding.readable:
        raise typer.Exit(1)


@app.command()
def check(
    reader: ReaderNumber = 0,
    card: CardNumber = "",
    world: World = WORLD,
    config: NodeFile = None,
    as_json: Json = False,
) -> None:
    """辨别真伪 Is the card genuine, and may it be used? Names the test that failed; status 1 unless all were passed."""
    actor = operator(open_node(config))
    from sheka.equipment.card_reader.session import CardSession
    from sheka.equipment.card_reader.verdict import facts_of
    from sheka.systems.cards.actions.judge_card import judge_card

    place = _reader(reader, card, world)
    with CardSession(place) as session:
        facts = facts_of(session)
    verdict = judge_card(actor, facts=facts, reader=place.name)
    if as_json:
        typer.echo(json.dumps(verdict.as_record(), ensure_ascii=False))
    else:
        for result in verdict.results:
            why = f"  {result.remark.zh} {result.remark.en}" if result.remark is not None else ""
            typer.echo(f"{MARKS[result.outcome]} {result.test.name}{why}")
        typer.echo(f"{verdict.sentence.zh} {verdict.sentence.en}")
    if not verdict.passed:
        raise typer.Exit(1)


@app.command("rekey")
def give_new_keys(
    number: Annotated[str, typer.Argument(help="卡号 card number")],
    reader: Annotated[
        int | None, typer.Option("--reader", help="改用 PC/SC 读卡器序号 use this PC/SC reader instead of the drawer")
    ] = None,
    world: World = WORLD,
    config: NodeFile = None,
) -> None:
    """更换卡内密钥 Give a card in use the next version of its keys; the old one works until it is retired."""
    actor = operator(open_node(config))
    from sheka.office.scope import acting_in
    from sheka.systems.cards.actions.rekey_card import rekey_card
    from sheka.systems.cards.queries import card_named

    with acting_in(actor.scope):
        card = card_named(actor, number)
    done = rekey_card(actor, card=card, reader=_reader(reader or 0, number if reader is None else "", world))
    typer.echo(f"✓ {number}: 密钥版本 key version {done.key_version}")


@app.command("list")
def list_cards(world: World = WORLD) -> None:
    """列出虚拟卡 List the virtual cards of a world, and how many blank chips are left."""
    from sheka.foundation.crypto.algorithms import Algorithm

    found = drawer(world)
    found.sort()
    for number in found.numbers():
        typer.echo(number)
    left = ", ".join(f"{algorithm.name} {found.blanks(algorithm)}" for algorithm in Algorithm)
    typer.echo(f"空白芯片 blank chips: {left}", err=True)


@app.command()
def readers() -> None:
    """列出 PC/SC 读卡器 List the PC/SC readers."""
    from sheka.equipment.card_reader.pcsc import list_readers

    for number, name in enumerate(list_readers()):
        typer.echo(f"{number}\t{name}")


def stay_inserted(chip: Chip, name: str, host: str, port: int) -> None:
    """Keep a virtual chip in the virtual reader until Ctrl-C or SIGTERM."""
    from sheka.equipment.card_reader import vpcd

    signal.signal(signal.SIGTERM, _as_interrupt)
    with vpcd.insert(chip, host, port) as inserted:
        typer.echo(f"✓ 已插入 inserted: {name} → {host}:{port}  Ctrl-C 取出 takes it out")
        try:
            while not inserted.wait(60):
                continue
        except KeyboardInterrupt:
            typer.echo(f"已取出 taken out: {name}")


def drawer(world: Path) -> ChipDrawer:
    """The drawer of a world's virtual chips."""
    from sheka.equipment.initialisation.drawer import IN_NODE, ChipDrawer

    return ChipDrawer(world / IN_NODE)


def _reader(number: int, card: str, world: Path) -> Reader:
    from sheka.equipment.card_reader.pcsc import PcscReader

    return drawer(world).reader(card) if card else PcscReader(number)


def _as_interrupt(number: int, frame: FrameType | None) -> None:
    """SIGTERM takes the card out as Ctrl-C does."""
    raise KeyboardInterrupt
