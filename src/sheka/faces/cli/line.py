"""`sheka line`: certificates and keys of the line to institutions; unlock a terminal (S4)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sheka.faces.cli.operator import NodeFile
from sheka.foundation.refusals import Code as Wrong
from sheka.foundation.refusals import Refused

if TYPE_CHECKING:
    from sheka.equipment.encryption_machine.client import EncryptionMachine
    from sheka.foundation.crypto.algorithms import Algorithm
    from sheka.office.staff.actors import Actor

app = typer.Typer(help="交易线路 the line to institutions: certificates, keys, locked terminals", no_args_is_help=True)
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

    node = open_node(config)
    from sheka.systems.transactions.actions.keep_certificates import add_certificate

    bureau = _bureau(code)  # nothing is written for an institution that is not there
    path = issue(node.line_files[0].parent, code, code, days=days, into=into)
    made = add_certificate(bureau, code=code, pem=path.read_text())
    typer.echo(f"{path}\n{path.with_suffix('.key')}\n{made.fingerprint}  {made.valid_to:%Y-%m-%d}")


@app.command("transport-key")
def transport_key(
    code: Code,
    parts: Annotated[int, typer.Option(help="分量数 how many components", min=2, max=9)] = 2,
    make: Annotated[
        bool, typer.Option("--make", help="由加密机生成分量 the machine makes them, to be written on paper")
    ] = False,
    config: NodeFile = None,
) -> None:
    """以分量录入传输密钥并登记 Enter an institution's transport key in components, one person each, and register it."""
    from sheka.faces.cli.operator import open_node

    open_node(config)
    from sheka.office.scope import acting_in
    from sheka.systems.keys.machines import machine_of
    from sheka.systems.transactions.actions.keep_line import set_transport_key
    from sheka.systems.transactions.queries_of_lines import transport_key_plan

    actor = _bureau(code)
    with acting_in(actor.scope):
        plan = transport_key_plan(actor, code=code)
    device = machine_of(actor.organisation)
    if make:
        _hand_out(device, plan.algorithm, parts)
    entry = device.begin_components(
        plan.name, plan.algorithm, plan.usage, version=plan.version, owner=actor.organisation, parts=parts
    )
    for part in range(1, parts + 1):
        typer.echo(f"{part}/{parts}: {_entered(device, entry, part)}")
    key = device.finish_components(entry)
    set_transport_key(actor, code=code, reference=key.ref)
    typer.echo(f"✓ {key.name} v{key.version}  校验值 check value {key.check_value}")


@app.command("starting-key")
def starting_key(
    code: Code,
    terminal: Annotated[str, typer.Option(help="只给这台终端 for this terminal only, which lost its own")] = "",
    config: NodeFile = None,
) -> None:
    """发放起始密钥，用传输密钥加密 Give out the MAC key with which a line begins, under the transport key."""
    from sheka.faces.cli.operator import open_node

    open_node(config)
    from sheka.systems.transactions.actions.give_starting_key import give_starting_key

    given = give_starting_key(_bureau(code), code=code, terminal=terminal)
    typer.echo(f"{given.field_48}\n校验值 check value {given.check_value}")


def _hand_out(device: EncryptionMachine, algorithm: Algorithm, parts: int) -> None:
    """Components of the machine's making: each is read by one person alone, and kept on paper only."""
    from sheka.equipment.encryption_machine.sealed_entry import entry_id_of, new_key, open_with
    from sheka.faces.cli.paper import read_alone

    keys = [new_key() for _ in range(parts)]
    sealed = device.generate_components(algorithm, "xor", parts, parts, [public for _, public in keys])
    for holder, ((private, public), part) in enumerate(zip(keys, sealed, strict=True), 1):
        read_alone(holder, open_with(private, entry_id_of(public), part).decode())


def _entered(device: EncryptionMachine, entry: str, part: int) -> str:
    """One component, typed without echo, sealed to the machine; its check value. A slip of the pen is typed again."""
    from sheka.equipment.encryption_machine.sealed_entry import seal_for

    while True:
        typed = typer.prompt(f"分量 component {part}", hide_input=True)
        key = device.entry_key()
        try:
            return device.enter_component(entry, part, key.id, seal_for(key.public_key, key.id, typed.encode()))
        except Refused as refusal:
            if refusal.code is not Wrong.MACHINE_COMPONENT_WRONG:
                raise
            typer.echo(f"✗ {refusal.number} {refusal.text('zh-Hans')} {refusal.text('en')}")


@app.command()
def unlock(
    number: Annotated[str, typer.Argument(help="终端编号 number of the terminal")],
    reason: Annotated[str, typer.Option(help="查到的原因 what was found")],
    config: NodeFile = None,
) -> None:
    """解锁因验证错误被锁定的终端 Give a terminal free that the switch locked."""
    from sheka.faces.cli.operator import open_node

    open_node(config)
    from sheka.systems.transactions.actions.keep_line import unlock_terminal

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
