"""`sheka machine`: what custodians and operators do at the node itself (H5, K6)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sheka.equipment.encryption_machine.client import EncryptionMachine
from sheka.equipment.encryption_machine.launch import start_machine
from sheka.equipment.encryption_machine.model import Usage
from sheka.equipment.server.files import make_socket_folder
from sheka.equipment.server.node import NodeConfig
from sheka.faces.cli.main import application
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused

SHARE = re.compile(r"(?:[0-9A-F]{4}\s+){21}[0-9A-F]{4}")
Sheka = Callable[..., tuple[int, str]]


@pytest.fixture
def node(tmp_path: Path) -> NodeConfig:
    codes = {"haikou": "460100", "spare": "460200"}
    made = NodeConfig.create(tmp_path / "node", name="test", level="city", machines=codes)
    make_socket_folder(made.sockets)
    return made


@pytest.fixture
def start(node: NodeConfig) -> Iterator[Callable[[str], EncryptionMachine]]:
    running = []

    def begin(name: str) -> EncryptionMachine:
        handle = start_machine(
            node.machine_folder(name),
            callers=node.machine_callers(name),
            address=node.machine_address(name),
            custodians=True,
        )
        running.append(handle)
        return handle.client("systems")

    yield begin
    for handle in running:
        handle.stop()


@pytest.fixture
def sheka(node: NodeConfig, monkeypatch: pytest.MonkeyPatch) -> Sheka:
    """sheka(words, typed=lines) → exit status and output."""
    typed: list[str] = []

    def answer(text: str, *given: object, hide_input: bool = False, **named: object) -> str:
        return typed.pop(0) if hide_input else ""

    def run(*words: str, lines: list[str] | None = None, paper: bool = False) -> tuple[int, str]:
        typed[:] = lines or []
        if paper:  # type back whatever was shown last, as somebody with a paper does
            shown: list[str] = []
            monkeypatch.setattr("sheka.faces.cli.machine.typer.echo", lambda text: shown.append(str(text)))

            def from_paper(text: str, *given: object, hide_input: bool = False, **named: object) -> str:
                return SHARE.findall("\n".join(shown))[-1].lower() if hide_input else ""

            monkeypatch.setattr("sheka.faces.cli.machine.typer.prompt", from_paper)
            result = CliRunner().invoke(application(), ["machine", *words, "--config", str(node.path)])
            monkeypatch.undo()
            output = "\n".join(shown)
        else:
            monkeypatch.setattr("sheka.faces.cli.machine.typer.prompt", answer)
            result = CliRunner().invoke(application(), ["machine", *words, "--config", str(node.path)])
            monkeypatch.undo()
            output = result.output
        if isinstance(result.exception, Refused):
            raise result.exception
        return result.exit_code, output

    return run


def shares_in(output: str) -> list[str]:
    return SHARE.findall(output)


@pytest.mark.req("H5")
@pytest.mark.req("K6")
def test_from_a_new_machine_to_a_back_up_restored_elsewhere(
    sheka: Sheka, start: Callable[[str], EncryptionMachine], tmp_path: Path
) -> None:
    status, said = sheka("status")
    assert (status, said.count("2301")) == (1, 2)
    with start("haikou") as machine, start("spare") as spare:
        status, said = sheka("status")
        assert status == 1
        assert said.count("未分割 not shared out") == 2
        status, said = sheka("share-out", "--threshold", "2", "--holders", "3", paper=True)
        shares = shares_in(said)
        assert (status, len(shares)) == (0, 3)
        made = machine.generate("key", Algorithm.SM4, Usage.MAC)
        assert sheka("seal")[1] == "✓ 已封存 sealed, 0/2\n"
        assert "已封存 sealed, 1/2" in sheka("unseal", "3", lines=[shares[2]])[1]
        with pytest.raises(Refused) as refusal:
            sheka("unseal", "2", lines=[shares[0]])
        assert refusal.value.code is Code.MACHINE_SHARE_WRONG
        assert sheka("unseal", "1", lines=[shares[0]])[1] == "✓ 已开封 open\n"

        file = tmp_path / "back-up"
        status, said = sheka("back-up", str(file), "--holders", "2", paper=True)
        others = shares_in(said)
        assert (status, len(others), file.stat().st_mode & 0o777) == (0, 2, 0o600)
        with pytest.raises(Refused) as taken:
            sheka("back-up", str(file), paper=True)
        assert taken.value.code is Code.SERVER_FOLDER_UNWRITABLE
        assert "0/2" in sheka("restore", str(file), "--machine", "460200")[1]
        for holder in (1, 2):
            sheka("unseal", str(holder), "--machine", "spare", lines=[others[holder - 1]])
        assert spare.list_keys() == [made]
        status, said = sheka("status")
        assert (status, said.count("已开封 open")) == (0, 2)
        assert machine.describe().log_head in said


def test_a_share_written_down_wrongly_is_shown_again(
    sheka: Sheka, start: Callable[[str], EncryptionMachine], monkeypatch: pytest.MonkeyPatch, node: NodeConfig
) -> None:
    """Nothing is in force before every holder has typed the share from the paper."""
    with start("haikou") as machine:
        shown: list[str] = []
        answers = iter(["wrong", None, None])

        def prompt(text: str, *given: object, hide_input: bool = False, **named: object) -> str:
            if not hide_input:
                return ""
            assert machine.describe().sealed
            return next(answers) or SHARE.findall("\n".join(shown))[-1]

        monkeypatch.setattr("sheka.faces.cli.machine.typer.echo", lambda text: shown.append(str(text)))
        monkeypatch.setattr("sheka.faces.cli.machine.typer.prompt", prompt)
        words = ["machine", "share-out", "--holders", "2", "--config", str(node.path)]
        result = CliRunner().invoke(application(), words)
        assert result.exit_code == 0
        assert len(SHARE.findall("\n".join(shown))) == 3
        assert not machine.describe().sealed
