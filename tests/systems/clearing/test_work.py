"""A clearing day is sealed, reconciled, netted, each by its people; what differs waits at the exceptions desk."""

from __future__ import annotations

from datetime import date

import pytest
from tests.support.organisations import appoint, installer, tree

from sheka.foundation.refusals import Refused
from sheka.office.work.models import WorkItem
from sheka.office.work.queries import mine, unassigned
from sheka.systems.clearing import waiting
from sheka.systems.clearing.models import Day
from sheka.systems.exceptions.abnormal import Abnormal
from sheka.systems.exceptions.actions.handle_case import close_case, give_back_case, take_case
from sheka.systems.exceptions.actions.open_cases import open_cases
from sheka.systems.exceptions.models import Reason

__all__ = ["appoint", "installer", "tree"]
CITY = "460100"


def open_items():
    return [(item.kind, item.number, item.due_on) for item in WorkItem.objects.exclude(state="done").order_by("pk")]


@pytest.mark.req("S8")
def test_a_day_is_sealed_reconciled_and_netted(appoint):
    officer = appoint("officer", CITY, "clearing_officer")
    friday = Day(organisation_id=CITY, settlement_date=date(2026, 11, 20))
    waiting.day_ends(officer, friday.settlement_date)
    waiting.day_sealed(officer, friday)
    seal = ("clearing.seal", f"{CITY}:2026-11-21", date(2026, 11, 21))
    assert open_items() == [seal, ("clearing.reconcile", f"{CITY}:2026-11-20", date(2026, 11, 23))]
    waiting.day_reconciled(officer, friday, flat=False)
    assert len(open_items()) == 2, "with differences it is reconciled again"
    waiting.day_reconciled(officer, friday, flat=True)
    assert open_items() == [seal, ("clearing.net", f"{CITY}:2026-11-20", date(2026, 11, 24))]
    assert not list(unassigned(officer).filter(kind="clearing.net")[0:5]), "another person nets"
    waiting.day_netted(officer, friday)
    waiting.day_ends(officer, date(2026, 11, 21))
    assert open_items() == []


@pytest.mark.req("S10")
def test_a_difference_waits_until_it_is_handled(appoint):
    importer, handler = appoint("importer", CITY, "clearing_officer"), appoint("handler", CITY, "exceptions_officer")
    found = Abnormal("P1:T1:20261120:000001:1", Reason.AMOUNT, 100, {"amount": 100}, {"amount": 200})
    (case,) = open_cases(importer, items=[found])
    (item,) = unassigned(handler)[0:5]
    assert (item.number, item.due_on) == (case.number, case.due_on)
    assert (item.title("zh-hans"), item.title("en")) == ("金额不一致：1.00元", "The amounts differ: ¥1.00")
    take_case(handler, number=case.number)
    assert [one.number for one in mine(handler)[0:5]] == [case.number]
    give_back_case(handler, number=case.number)
    assert not mine(handler)[0:5].count()
    with pytest.raises(Refused):
        close_case(handler, number=case.number, resolution="")
    close_case(handler, number=case.number, resolution="已补记账")
    assert open_items() == []
