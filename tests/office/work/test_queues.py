"""The queues: who sees what in which, in which order, how much is counted."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.scope import acting_in
from sheka.office.staff.permissions import Permission
from sheka.office.work import kinds, queries
from sheka.office.work.actions.assign_work import assign_work
from sheka.office.work.actions.take_work import take_work
from sheka.office.work.items import close_work, work_kind
from sheka.office.work.kinds import Holder


def named(rows, stop=50):
    return [item.subject for item in rows[0:stop]]


def test_pools_are_read_as_one_list_in_order(clerk, errands):
    day = timezone.localdate()
    for number in range(12):
        permission = (Permission.EXCHANGE_COLLECT, Permission.CARD_STOCK, Permission.EXCHANGE_PAY)[number % 3]
        errands(f"case:{number:02}", permission=permission, due_on=day + timedelta(days=number))
    rows = queries.unassigned(clerk)
    assert named(rows) == [f"case:{number:02}" for number in range(12)]
    assert [item.subject for item in rows[5:8]] == ["case:05", "case:06", "case:07"]
    assert rows.order_by()[:7].count() == 7 and rows[0:50].count() == 12
    assert named(rows.order_by("-due_on", "-pk"), 2) == ["case:11", "case:10"]
    assert named(rows.filter(permission="card.stock"), 2) == ["case:01", "case:04"]
    assert named(rows.exclude(permission="card.stock"), 2) == ["case:00", "case:02"]
    assert [item.subject for item in rows.iterator(5)] == named(rows)
    assert rows.first().subject == "case:00" and rows.filter(kind="none").first() is None


def test_who_holds_nothing_sees_nothing(appoint, errands):
    errands()
    assert named(queries.unassigned(appoint("nobody", "460100-01"))) == []


def test_each_queue_has_its_own(clerk, colleague, supervisor, installer, errand, errands):
    day = timezone.localdate()
    late = day - timedelta(days=1)
    free, own = errands("case:free", due_on=late), errands("case:own", due_on=late)
    errands("case:back", assignee_id=clerk.staff_id, returned=True)
    errands("case:elsewhere", organisation="460100-CC")
    done = errands("case:done")
    take_work(clerk, item_id=own.pk)
    take_work(clerk, item_id=done.pk)
    close_work(clerk, errand, "case:done")
    assert queries.counts(clerk) == {"mine": 2, "unassigned": 1, "waiting": 0, "overdue": 2, "returned": 1}
    assert named(queries.overdue(clerk)) == ["case:free", "case:own"]
    assert named(queries.recent(clerk)) == ["case:done"]
    assert named(queries.overdue(colleague)) == ["case:free", "case:own"], "a colleague sees what is late"
    assert queries.queues_of(supervisor)[-1] == "office"
    assert sorted(named(queries.office(supervisor))) == ["case:back", "case:elsewhere", "case:free", "case:own"]
    with pytest.raises(Refused, match="3001"):
        queries.office(clerk)
    assert free.pk


def test_who_moved_still_sees_the_own_work_that_is_late(clerk, errands, appoint):
    errands("case:own", organisation="460100-CC", assignee_id=clerk.staff_id, due_on=date(2026, 1, 5))
    assert named(queries.overdue(clerk)) == ["case:own"]


def test_an_item_is_for_its_people(clerk, supervisor, appoint, errands):
    item = errands()
    assert queries.item_named(clerk, item.pk) == queries.item_named(supervisor, item.pk) == item
    stranger, other = appoint("data", "460100-01", "data_clerk"), appoint("centre", "460100-CC", "clerk")
    for reader in (stranger, other):
        with pytest.raises(Refused) as caught:
            queries.item_named(reader, item.pk)
        assert caught.value.code is Code.WORK_UNKNOWN
    assign_work(supervisor, item_ids=[item.pk], to=clerk.staff_id)
    assert queries.item_named(clerk, item.pk).assignee_id == clerk.staff_id


def test_no_scope_no_work(clerk, errands):
    errands()
    with acting_in():
        assert queries.counts(clerk) == {"mine": 0, "unassigned": 0, "waiting": 0, "overdue": 0, "returned": 0}


def test_who_can_be_given_it(clerk, colleague, appoint):
    appoint("data", "460100-01", "data_clerk")
    appoint("centre", "460100-CC", "clerk")
    assert [person.login for person in queries.able("exchange.collect", "460100-01")] == ["clerk", "colleague"]


def test_holders_are_asked_for_once_a_kind(errands, errand):
    asked = []

    def holders(subjects):
        asked.append(list(subjects))
        return {subjects[0]: Holder("林晓霞", "460100********0019")}

    work_kind("test.held", Term("有人", "Held"), holders=holders)
    try:
        items = [errands("case:1", kind="test.held"), errands("case:2", kind="test.held"), errands("case:3")]
        assert queries.holders_of(items) == {("test.held", "case:1"): Holder("林晓霞", "460100********0019")}
        assert asked == [["case:1", "case:2"]]
    finally:
        del kinds._kinds["test.held"]


@pytest.mark.req("R2")
def test_days_left_are_working_days():
    golden = date(2026, 9, 30)
    assert queries.working_days_left(date(2026, 10, 12), golden) == 4, "the holiday weekends do not count"
    assert queries.working_days_left(golden, golden) == 0
    assert queries.working_days_left(golden, date(2026, 10, 12)) == -4
