"""`sheka exceptions check` and `sheka ledger verify` say in both languages what is wrong and what to do (S10, S6)."""

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


@pytest.mark.req("S6")
def test_a_broken_check_hides_no_other_and_cuts_no_number(capsys):
    from rich.console import Console

    from sheka.faces.cli.ledger import _show
    from sheka.foundation.terms import Term
    from sheka.systems.accounts.proofs import Fault, Proved

    number = "account:310460100000000000014"
    many = tuple(Fault(f"posting:{at}", "does not follow") for at in range(1000))
    checks = [
        Proved(Term("逐笔余额连续", "each running balance"), many, 0.1),
        Proved(Term("账户余额等于分录合计", "each balance"), (Fault(number, "balance 2, entries 1"),), 0.1),
    ]
    _show(Console(width=80), checks)
    said = capsys.readouterr().out
    cells = "".join(line.split("│")[2].strip() for line in said.splitlines() if line.count("│") == 4)
    assert number in cells and "1,000" in cells and "posting:10" not in cells
    assert "账户余额等于分录合计" in said and "Stop clearing" in said
