"""The archive on the console: a day is written, leaves by two people, is searched and comes back (S4, S8)."""

from __future__ import annotations

import re

import pytest
from tests.support.approvals import decided
from tests.support.organisations import appoint
from tests.support.payments import CITY
from tests.systems.transactions.test_archive import DAY, booked, officers, rows_of, short

from sheka.office.approvals.models import Proposal
from sheka.office.audit.models import Event
from sheka.office.jobs.models import JobRun
from sheka.office.jobs.registry import kind_of
from sheka.office.staff.actors import Actor
from sheka.systems.transactions.archive_models import Archive
from sheka.systems.transactions.partitions import partitions

__all__ = ["appoint", "booked", "officers", "short"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("S4"), pytest.mark.req("S8")]
PAGE = f"/transactions/archive/{DAY:%Y%m%d}"


def text_of(answer) -> str:
    assert answer.status_code == 200, answer.content.decode()[:2000]
    return answer.content.decode()


def done(answer) -> dict:
    """What the job that a page ordered does, as the worker runs it."""
    assert answer.status_code == 302 and "/jobs/" in answer["Location"], answer.content.decode()[:1000]
    run = JobRun.objects.latest("pk")
    actor = Actor.process("worker", CITY)
    return kind_of(run.name).run(actor, lambda *_told: None, **run.args)


def test_a_day_leaves_by_two_people_is_searched_and_comes_back(booked, desks, officers):
    clearing, auditor, accounts = desks("clearing_officer"), desks("auditor"), desks("account_officer")
    _clearing, settlement = officers
    before, card = rows_of(DAY), booked.cards[0].number
    shown = text_of(clearing.get("/transactions/archive"))
    assert f'href="{PAGE}"' in shown and "transactions_transaction_" in shown and "Every day until" in shown
    assert accounts.get("/transactions/archive").status_code == 403
    assert "due to be archived" in text_of(clearing.get(PAGE))
    assert "Write the archive" in text_of(clearing.get(PAGE)) and "Write the archive" not in text_of(auditor.get(PAGE))
    assert auditor.ask("POST", f"{PAGE}/write", {}).status_code == 403
    assert "Parquet" in text_of(clearing.get(f"{PAGE}/write"))
    told = done(clearing.ask("POST", f"{PAGE}/write", {}))
    archive = Archive.objects.get()
    assert (told["rows"], told["SM3"]) == (len(before), archive.content)
    shown = text_of(clearing.get(PAGE))
    assert archive.digest in shown and "Propose to detach" in shown and "Put the day back" not in shown
    assert done(auditor.ask("POST", f"{PAGE}/check", {}))["rows"] == len(before)
    assert clearing.ask("POST", f"{PAGE}/detach", {}).status_code == 302
    request = Proposal.objects.get()
    shown = text_of(clearing.get(PAGE))
    assert "waits for a decision" in shown and f"/approvals/{request.pk}" in shown and "Propose to detach" not in shown
    put = text_of(desks("settlement_officer").get(f"/approvals/{request.pk}"))
    assert archive.digest in put and DAY.isoformat() in put, "who decides sees what leaves"
    assert rows_of(DAY) == before, "a request alone moves nothing"
    decided(settlement, request)
    assert rows_of(DAY) == [] and DAY not in {one.day for one in partitions()}
    shown = text_of(clearing.get(PAGE))
    assert "only in the archive" in shown and "Put the day back" in shown and "Write the archive" not in shown
    wanted = {"purpose": "参保人查询", "card_number": card}
    assert clearing.ask("POST", "/transactions/archived", {**wanted, "purpose": ""}).status_code == 422
    assert "4792" in clearing.ask("POST", "/transactions/archived", {**wanted, "card_number": ""}).content.decode()
    found = text_of(clearing.ask("POST", "/transactions/archived", wanted))
    assert len(re.findall(r'scope="row" class="whole">', found)) == sum(row["card_number"] == card for row in before)
    assert card not in found.partition("<tbody")[2], "numbers are masked in what is found"
    assert Event.objects.filter(event="archive.searched").count() == 1
    assert done(clearing.ask("POST", f"{PAGE}/restore", {}))["rows"] == len(before)
    assert rows_of(DAY) == before
    chinese = text_of(desks("clearing_officer", "zh-hans").get("/transactions/archive"))
    assert "业务日归档" in chinese and "会计档案管理办法" in chinese
    assert "Measures on the management of accounting archives" in text_of(clearing.get("/transactions/archive"))


def test_a_day_that_nobody_knows_is_no_page(desks, bank):
    clearing = desks("clearing_officer")
    for address in ("20200101", "20261399", "1"):
        assert clearing.get(f"/transactions/archive/{address}").status_code == 404
    assert clearing.get(f"/transactions/archive/{DAY:%Y%m%d}/burn").status_code == 404
