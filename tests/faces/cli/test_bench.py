"""`sheka bench` (issue 2): one JSON object a bench, whose figures can be followed over time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import bench as benches
from sheka.faces.cli import bench
from sheka.faces.cli.main import application, main, tell
from sheka.foundation.refusals import Code, Refused


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkout with one quick bench."""
    folder = tmp_path / "bench"
    folder.mkdir()
    (folder / "tiny.py").write_text(
        "from bench.figures import Figure\n\n\n"
        "def run(long=False):\n    return [Figure('tiny.rounds', 9.0 if long else 3.0, '1/s', 1.5, 'nothing', '')]\n"
    )
    (folder / "helper.py").write_text("x = 1\n")
    monkeypatch.setattr(bench, "ROOT", tmp_path)
    monkeypatch.setattr(benches, "__path__", [*benches.__path__, str(folder)])


@pytest.mark.usefixtures("tiny")
def test_a_bench_prints_one_object() -> None:
    result = CliRunner().invoke(application(), ["bench", "tiny", "--json", "--long"])
    found = json.loads(result.stdout)
    assert set(found) == {"bench", "machine", "figures"}
    assert (found["bench"], found["figures"][0]["name"], found["figures"][0]["value"]) == ("tiny", "tiny.rounds", 9.0)
    assert set(found["figures"][0]) == {"name", "value", "unit", "ratio", "baseline", "detail"}


@pytest.mark.usefixtures("tiny")
def test_all_prints_a_list_and_without_json_a_table() -> None:
    found = json.loads(CliRunner().invoke(application(), ["bench", "all", "--json"]).stdout)
    assert [report["bench"] for report in found] == ["tiny"]
    assert "tiny.rounds" in CliRunner().invoke(application(), ["bench", "all"]).stdout


@pytest.mark.usefixtures("tiny")
def test_an_unknown_bench_is_refused_with_the_known_ones(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["sheka", "bench", "helper"])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 1
    said = capsys.readouterr().err
    assert "9081" in said and "all, tiny" in said


def test_the_benches_of_this_checkout_are_found() -> None:
    assert "crypto" in bench.benches()
    assert "figures" not in bench.benches()


def test_a_refusal_is_told_in_both_languages(capsys: pytest.CaptureFixture[str]) -> None:
    assert tell(Refused(Code.NODE_FILE_MISSING, file="/srv/node.toml")) == 1
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith("✗ 2540 没有节点文件 /srv/node.toml")
    assert said[1].strip().startswith("There is no node file /srv/node.toml.")


@pytest.mark.parametrize("command", [[], ["world"], ["node"], ["bench"]])
def test_every_group_explains_itself(command: list[str]) -> None:
    result = CliRunner().invoke(application(), [*command, "--help"])
    assert result.exit_code == 0
    assert "Usage" in result.stdout
