"""What people do with their queue: every verb, every refusal, each on record."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.audit.models import Event
from sheka.office.scope import acting_in
from sheka.office.staff.models import StaffMember
from sheka.office.staff.permissions import Permission
from sheka.office.work import jobs, queries
from sheka.office.work.actions.assign_work import MOST, assign_work
from sheka.office.work.actions.give_back_work import give_back, give_back_all_of
from sheka.office.work.actions.postpone_work import LONGEST_DAYS, postpone, resume, wake_due
from sheka.office.work.actions.take_work import take_next, take_work
from sheka.office.work.items import close_work
from sheka.office.work.models import WorkItem


def today():
    return timezone.localdate()


def refused(code, verb, *args, **facts):
    with pytest.raises(Refused) as caught:
        verb(*args, **facts)
    assert caught.value.code is code, caught.value


def named(rows):
    return [item.subject for item in rows[0:50]]


def test_an_item_goes_from_pool_to_person_and_back(clerk, colleague, errands):
    item = errands()
    assert named(queries.unassigned(clerk)) == named(queries.unassigned(colleague)) == ["case:1"]
    take_work(clerk, item_id=item.pk)
    assert named(queries.mine(clerk)) == ["case:1"]
    assert named(queries.unassigned(colleague)) == named(queries.mine(colleague)) == []
    give_back(clerk, item_id=item.pk)
    assert named(queries.unassigned(colleague)) == ["case:1"]
    assert list(Event.objects.order_by("sequence").values_list("event", flat=True))[-2:] == [
        "work.taken",
        "work.given_back",
    ]


def test_taking_is_refused_with_its_own_number(clerk, colleague, supervisor, appoint, installer, errands, errand):
    item = errands()
    refused(Code.WORK_UNKNOWN, take_work, clerk, item_id=0)
    refused(Code.ORGANISATION_OUT_OF_REACH, take_work, appoint("centre", "460100-CC", "clerk"), item_id=item.pk)
    refused(Code.WORK_NOT_ENTITLED, take_work, appoint("data", "460100-01", "data_clerk"), item_id=item.pk)
    refused(Code.PERMISSION_MISSING, take_work, appoint("nobody", "460100-01"), item_id=item.pk)
    with acting_in("o000000.o460000.o460200"):
        refused(Code.WORK_UNKNOWN, take_work, appoint("sanya", "460200", "card_planner"), item_id=item.pk)
    take_work(clerk, item_id=item.pk)
    refused(Code.WORK_TAKEN, take_work, colleague, item_id=item.pk)
    refused(Code.WORK_NOT_YOURS, give_back, colleague, item_id=item.pk)
    close_work(installer, errand, item.subject)
    refused(Code.STATE_FORBIDS, take_work, colleague, item_id=item.pk)
    refused(Code.STATE_FORBIDS, give_back, clerk, item_id=item.pk)


def test_a_process_takes_nothing(installer, errands):
    item = errands(organisation="000000")
    refused(Code.WORK_NOT_ENTITLED, take_work, installer, item_id=item.pk)
    refused(Code.WORK_NOTHING_NEXT, take_next, installer)


def test_next_is_what_is_due_first(clerk, errands, errand):
    errands("case:none")
    errands("case:later", due_on=today() + timedelta(days=3))
    errands("case:sooner", due_on=today())
    errands("case:other", permission=Permission.CARD_PRODUCE, due_on=today() - timedelta(days=9))
    taken = [take_next(clerk).subject, take_next(clerk, kind=errand).subject, take_next(clerk).subject]
    assert taken == ["case:sooner", "case:later", "case:none"]
    refused(Code.WORK_NOTHING_NEXT, take_next, clerk)


def test_a_supervisor_gives_work_to_a_person_who_may_do_it(supervisor, clerk, colleague, errands):
    items = [errands(f"case:{number}") for number in range(3)]
    take_work(clerk, item_id=items[0].pk)
    assign_work(supervisor, item_ids=[item.pk for item in items], to=colleague.staff_id)
    assert named(queries.mine(colleague)) == ["case:0", "case:1", "case:2"]
    event = Event.objects.get(event="work.assigned")
    assert '"to":"colleague"' in event.facts and '"was":"clerk"' in event.facts, "reassigning is on record"
    told = queries.notices_of(colleague)
    assert [notice.kind for notice in told] == ["work.assigned"] and "等 3 件" in told[0].text("zh-hans")


def test_assigning_refuses_all_when_it_refuses_one(supervisor, clerk, appoint, installer, errands, errand):
    mine, other = errands("case:1"), errands("case:2", organisation="460100-CC")
    done = errands("case:3")
    close_work(installer, errand, "case:3")

    def assign(code, *items, to=clerk.staff_id, by=supervisor):
        refused(code, assign_work, by, item_ids=[item if isinstance(item, int) else item.pk for item in items], to=to)
        assert not WorkItem.objects.filter(assignee__isnull=False).exists()

    assign(Code.WORK_OTHER_ORGANISATION, mine, other)
    assign(Code.WORK_UNKNOWN, mine, 0)
    assign(Code.WORK_NONE_CHOSEN)
    assign(Code.WORK_NONE_CHOSEN, *range(MOST + 1))
    assign(Code.STATE_FORBIDS, mine, done)
    assign(Code.STAFF_UNKNOWN, mine, to=0)
    assign(Code.WORK_NOT_ENTITLED, mine, to=appoint("data", "460100-01", "data_clerk").staff_id)
    assign(Code.PERMISSION_MISSING, mine, by=clerk)
    assign(Code.ORGANISATION_OUT_OF_REACH, mine, other, by=appoint("centre-head", "460100-CC", "card_supervisor"))
    StaffMember.objects.filter(pk=clerk.staff_id).update(is_active=False)
    assign(Code.STAFF_INACTIVE, mine)


def test_work_of_another_city_cannot_be_assigned(appoint, clerk, errands):
    item = errands()
    elsewhere = appoint("sanya-head", "460200", "card_supervisor")
    with acting_in(elsewhere.scope):
        refused(Code.WORK_UNKNOWN, assign_work, elsewhere, item_ids=[item.pk], to=clerk.staff_id)


def test_an_item_waits_for_others_until_its_day(clerk, errands, monkeypatch):
    item = errands(due_on=today() - timedelta(days=1))
    take_work(clerk, item_id=item.pk)
    day = today() + timedelta(days=2)
    postpone(clerk, item_id=item.pk, until=day, reason=" 等户籍证明 ")
    assert named(queries.waiting(clerk)) == ["case:1"] and named(queries.mine(clerk)) == []
    assert WorkItem.objects.get().waiting_reason == "等户籍证明"
    jobs.wake()
    assert named(queries.waiting(clerk)) == ["case:1"], "its day has not come"
    WorkItem.objects.update(waiting_until=today())
    jobs.wake()
    assert named(queries.mine(clerk)) == named(queries.overdue(clerk)) == ["case:1"]
    postpone(clerk, item_id=item.pk, until=day, reason="等回函")
    assert resume(clerk, item_id=item.pk).state == "open"
    assert Event.objects.filter(event="work.resumed").count() == 2


def test_putting_off_is_refused_with_its_own_number(clerk, colleague, errands):
    item = errands()
    wait = {"item_id": item.pk, "until": today() + timedelta(days=1), "reason": "等回函"}
    refused(Code.WORK_NOT_YOURS, postpone, clerk, **wait)
    take_work(clerk, item_id=item.pk)
    refused(Code.WORK_NOT_YOURS, postpone, colleague, **wait)
    for until in (today(), today() + timedelta(days=LONGEST_DAYS + 1)):
        refused(Code.WORK_DAY, postpone, clerk, **wait | {"until": until})
    for reason in (" x ", "长" * 201):
        refused(Code.WORK_REASON, postpone, clerk, **wait | {"reason": reason})
    refused(Code.STATE_FORBIDS, resume, clerk, item_id=item.pk)
    postpone(clerk, **wait)
    refused(Code.STATE_FORBIDS, postpone, clerk, **wait)


def test_the_work_of_a_person_who_leaves_goes_back(installer, clerk, colleague, errands):
    for number in range(2):
        item = errands(f"case:{number}", returned=bool(number))
        take_work(clerk, item_id=item.pk)
    postpone(clerk, item_id=item.pk, until=today() + timedelta(days=1), reason="等回函")
    assert give_back_all_of(installer, clerk.staff_id) == 2
    assert give_back_all_of(installer, clerk.staff_id) == 0
    assert named(queries.unassigned(colleague)) == ["case:0", "case:1"]
    assert not WorkItem.objects.exclude(state="open").exists() and not queries.returned(clerk)[0:1].count()
    assert Event.objects.filter(event="work.given_back").count() == 1


def test_waking_nothing_is_on_record_too(installer, errands):
    assert wake_due(installer) == 0
