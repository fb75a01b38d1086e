"""What every command says when it cannot work: one sentence in both languages, and what to do (H1)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sheka.equipment.server.node import NodeConfig

pytestmark = pytest.mark.req("H1")
PROGRAM = (sys.executable, "-m", "sheka.faces.cli.main")


def typed(*words: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*PROGRAM, *words], capture_output=True, env={"PATH": "/usr/bin:/bin", **environment}, timeout=60
    )


def test_a_node_that_does_not_run_is_said_and_a_gbk_terminal_ends_nothing(tmp_path: Path):
    node = NodeConfig.create_demo(tmp_path / "node")
    assert "Traceback" not in typed("node", "status", "--config", str(node.path)).stderr.decode()
    done = typed("exceptions", "check", "--config", str(node.path), PYTHONIOENCODING="gbk")
    said = done.stderr.decode("gbk")
    assert done.returncode == 1 and "Traceback" not in said, said
    assert "2547" in said and "先启动节点" in said and "sheka node run" in said


def test_a_command_that_is_not_understood_names_its_help():
    done = typed("ledger", "deposit", "/no/such/file")
    assert done.returncode == 2 and "加 -h 查看用法" in done.stderr.decode()
