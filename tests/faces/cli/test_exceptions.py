"""`sheka exceptions check` says in both languages what was lost sight of and what to do (S10)."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from sheka.faces.cli import exceptions
from sheka.faces.cli.main import application
from sheka.systems.exceptions import check
from sheka.systems.exceptions.check import BOOKED, CHECKS, SETTLED, Loss


@pytest.mark.req("S10")
def test_each_check_has_its_chinese_and_a_loss_says_what_to_do(monkeypatch):
    assert set(exceptions.CHINESE) == {BOOKED, SETTLED, *(name for name, _query in CHECKS)}
    monkeypatch.setattr(exceptions, "open_node", lambda config: None)
    monkeypatch.setattr(check, "check_exceptions", lambda: [Loss(BOOKED, "booking:1", "H1")])
    done = CliRunner().invoke(application(), ["exceptions", "check"])
    assert done.exit_code == 1
    assert all(word in done.output for word in (exceptions.CHINESE[BOOKED], BOOKED, "booking:1", "sheka node status"))
    monkeypatch.setattr(check, "check_exceptions", list)
    assert CliRunner().invoke(application(), ["exceptions", "check"]).exit_code == 0
