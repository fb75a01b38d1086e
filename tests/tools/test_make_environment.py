"""Set-up (issue 2): a step is done again only when its inputs changed, and what goes wrong is one sentence."""

from __future__ import annotations

import gettext
import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


def load(name: str) -> ModuleType:
    """A script of tools/ as a module of its own."""
    spec = importlib.util.spec_from_file_location(f"tools_{name}", ROOT / "tools" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """make_environment, working in a folder of its own."""
    module = load("make_environment")
    for name, place in {
        "ROOT": "",
        "ENVIRONMENT": ".venv",
        "PYTHON": ".venv/bin/python",
        "STAMPS": ".venv/stamps",
    }.items():
        monkeypatch.setattr(module, name, tmp_path / place)
    (tmp_path / ".venv").mkdir()
    return module


def test_a_step_runs_again_only_when_its_inputs_change(tool: ModuleType, tmp_path: Path) -> None:
    source, done = tmp_path / "lock.txt", []
    source.write_text("one")

    def step(found: bool = True) -> None:
        tool.step("lock", tool.digest([source]), lambda: found, lambda: done.append(source.read_text()), "lock")

    step()
    step()
    assert done == ["one"]
    source.touch()
    step()
    assert done == ["one"], "a new date alone is no change"
    source.write_text("two")
    step()
    assert done == ["one", "two"]
    step(found=False)
    assert done == ["one", "two", "two"], "the result was gone"


def test_a_step_that_failed_is_tried_again(tool: ModuleType, tmp_path: Path) -> None:
    tries = []

    def fail() -> None:
        tries.append(1)
        raise tool.Stop("不行", "no")

    for _ in range(2):
        with pytest.raises(tool.Stop):
            tool.step("lock", "digest", lambda: True, fail, "lock")
    assert len(tries) == 2


def test_a_renamed_file_is_a_change(tool: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    before = tool.digest([tmp_path / "a"])
    (tmp_path / "a").rename(tmp_path / "b")
    assert tool.digest([tmp_path / "b"]) != before


def test_a_failing_command_shows_what_it_said_and_one_sentence(
    tool: ModuleType, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(tool.Stop) as stopped:
        tool.run([sys.executable, "-c", "print('no such wheel'); raise SystemExit(1)"], "装不上。", "Not installed.")
    assert str(stopped.value) == "装不上。\nNot installed."
    assert "no such wheel" in capfd.readouterr().err


def test_a_folder_that_cannot_be_written_is_one_sentence(
    tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".venv").rmdir()
    (tmp_path / ".venv").write_text("a file in its place")
    monkeypatch.setattr(sys, "argv", ["make_environment.py"])
    assert tool.main() == 1
    said = capsys.readouterr().err
    assert ".venv" in said and len(said.splitlines()) == 2


def test_an_environment_is_made_without_ensurepip_too(tool: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Debian without python3-venv."""
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    assert not tool.environment_works()
    tool.make_virtual_environment()
    assert tool.environment_works()


def test_messages_are_compiled_and_a_wrong_placeholder_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = load("compile_messages")
    monkeypatch.setattr(module, "SOURCE", tmp_path)
    folder = tmp_path / "app" / "locale" / "zh_Hans" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
    (folder / "django.po").write_text(head + 'msgid "Cards"\nmsgstr "卡片"\n')
    assert module.main() == 0
    with (folder / "django.mo").open("rb") as file:
        assert gettext.GNUTranslations(file).gettext("Cards") == "卡片"
    (folder / "django.po").write_text(head + '#, python-format\nmsgid "%(n)s cards"\nmsgstr "%(m)s 张卡"\n')
    assert module.main() == 1
    assert "django.po" in capsys.readouterr().err


def test_make_explains_its_commands() -> None:
    said = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for command in ("setup", "run", "reset", "test", "lint", "fmt", "bench", "lock", "clean"):
        assert f"make {command}" in said


def test_ci_calls_exactly_make_test() -> None:
    script = ROOT / ".ci" / "run"
    assert script.read_text() == "#!/bin/bash\nexec make test\n"
    assert script.stat().st_mode & 0o111
