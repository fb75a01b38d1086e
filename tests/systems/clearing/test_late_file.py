"""A file that comes after the day was reconciled is compared all the same; a netted day takes none (S8, S10)."""

from __future__ import annotations

import pytest
from tests.support.payments import CITY, HOSPITAL

from sheka.foundation.refusals import Code, Refused
from sheka.office.work.models import WorkItem
from sheka.systems.clearing.acquirer_file import FileLine, render
from sheka.systems.clearing.actions.import_file import import_file
from sheka.systems.clearing.actions.net_day import net_day
from sheka.systems.clearing.actions.reconcile_day import reconcile_day
from sheka.systems.clearing.actions.seal_day import seal_day
from sheka.systems.clearing.models import AcquirerFile, Day
from sheka.systems.exceptions.models import ExceptionCase
from sheka.systems.transactions.queries import open_window

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("S8"), pytest.mark.req("S10")]


def waiting():
    return list(
        WorkItem.objects.exclude(state="done").filter(subject__startswith="day:").values_list("kind", flat=True)
    )


def test_what_only_a_late_file_says_is_a_case_and_not_lost(bank, appoint):
    """An institution whose messages never reached us booked nothing here, so nobody waits for its file."""
    officer, settlement = appoint("one", CITY, "clearing_officer"), appoint("two", CITY, "settlement_officer")
    date = open_window().settlement_date
    day = seal_day(officer, settlement_date=date)
    assert reconcile_day(officer, day=day).flat
    assert "clearing.net" in waiting()
    lost = FileLine(2, date, "460100000001", 7, 1, bank.cards[0].number, 12_345, "632500000007")
    data = render(HOSPITAL, date, [lost])
    import_file(officer, data=data)
    assert "clearing.net" not in waiting() and "clearing.reconcile" in waiting()
    with pytest.raises(Refused) as refusal:
        net_day(settlement, day=day)
    assert refusal.value.code is Code.STATE_FORBIDS
    assert Day.objects.get().result == "waiting"
    assert not reconcile_day(officer, day=day).flat
    assert ExceptionCase.objects.get().amount == 12_345


def test_a_netted_day_takes_no_other_file(bank, appoint):
    officer, settlement = appoint("one", CITY, "clearing_officer"), appoint("two", CITY, "settlement_officer")
    day = seal_day(officer, settlement_date=open_window().settlement_date)
    reconcile_day(officer, day=day)
    net_day(settlement, day=day)
    with pytest.raises(Refused) as refusal:
        import_file(officer, data=render(HOSPITAL, day.settlement_date, []))
    assert refusal.value.code is Code.STATE_FORBIDS
    assert not AcquirerFile.objects.exists()
