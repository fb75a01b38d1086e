"""A notice is read by its person and nobody else; what nobody reads goes to the supervisors."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.audit.models import Event
from sheka.office.scope import acting_in
from sheka.office.work import jobs, queries
from sheka.office.work.actions.read_notices import mark_read
from sheka.office.work.models import WorkNotice
from sheka.office.work.notices import notice_kind, notify
from sheka.office.work.scope import EVERYBODY, reading_as


def tell(person, kind="work.assigned", text="有事"):
    return notify(person.staff_id, kind, "case:1", zh=text, en="News")


def test_a_person_reads_a_notice_once(clerk, colleague):
    first, second = tell(clerk), tell(clerk)
    assert queries.unread(clerk) == 2 and queries.unread(colleague) == 0
    assert [notice.pk for notice in queries.notices_of(clerk)] == [second.pk, first.pk], "the latest first"
    assert [notice.pk for notice in queries.notices_of(clerk, before=second.pk)] == [first.pk]
    assert mark_read(clerk, notice_ids=[first.pk]) == 1
    assert mark_read(clerk, notice_ids=[first.pk]) == 0
    assert [notice.pk for notice in queries.notices_of(clerk, only_unread=True)] == [second.pk]
    assert mark_read(clerk) == 1 and queries.unread(clerk) == 0
    assert Event.objects.filter(event="notice.read").count() == 3
    assert (first.text("zh-hans"), first.text("en")) == ("有事", "News")


def test_nobody_reads_the_notices_of_another(clerk, colleague, supervisor):
    notice = tell(clerk)
    for reader in (colleague, supervisor):
        assert queries.notices_of(reader) == []
        with pytest.raises(Refused) as caught:
            mark_read(reader, notice_ids=[notice.pk])
        assert caught.value.code is Code.NOTICE_UNKNOWN
    assert not WorkNotice.objects.exists(), "without a reader there is no row"
    with reading_as(colleague.staff_id):
        assert not WorkNotice.objects.exists()
    with reading_as(clerk.staff_id), acting_in("o000000.o460000.o460200"):
        assert not WorkNotice.objects.exists(), "its person, but out of scope"
    with reading_as(EVERYBODY):
        assert WorkNotice.objects.count() == 1


def test_a_process_has_no_notices(installer):
    assert queries.unread(installer) == 0 and queries.notices_of(installer) == []
    with pytest.raises(Refused):
        mark_read(installer)


def test_only_declared_kinds_go_to_known_people(clerk):
    with pytest.raises(LookupError):
        tell(clerk, "test.undeclared")
    with pytest.raises(Refused) as caught:
        notify(0, "work.assigned", "case:1", zh="有事", en="News")
    assert caught.value.code is Code.STAFF_UNKNOWN
    for name, severity in (("work.assigned", "info"), ("test.new", "loud")):
        with pytest.raises(ValueError):
            notice_kind(name, Term("", ""), severity=severity)


def age(days):
    with reading_as(EVERYBODY):
        WorkNotice.objects.update(at=timezone.now() - timedelta(days=days, minutes=1))


def test_what_nobody_reads_goes_up_once(clerk, colleague, supervisor, appoint, alarm):
    tell(clerk, alarm, "PSAM 丢失")
    tell(clerk)
    jobs.escalate()
    assert queries.unread(supervisor) == 0, "not yet"
    age(2)
    jobs.escalate()
    jobs.escalate()
    (told,) = queries.notices_of(supervisor)
    assert told.kind == "work.escalated" and "PSAM 丢失" in told.text_zh and "clerk" in told.text_en
    assert queries.unread(colleague) == 0 and queries.unread(clerk) == 2
    head = appoint("head", "460100-01", "card_supervisor")
    tell(clerk, alarm)
    age(2)
    jobs.escalate()
    assert queries.unread(head) == 1 and queries.unread(supervisor) == 1, "the nearest supervisor is told"


def test_what_was_read_does_not_go_up(clerk, supervisor, alarm):
    tell(clerk, alarm)
    mark_read(clerk)
    age(9)
    jobs.escalate()
    assert queries.unread(supervisor) == 0


def test_where_nobody_supervises_nobody_is_told(appoint, alarm):
    alone = appoint("alone", "000000", "reviewer")
    tell(alone, alarm)
    age(2)
    jobs.escalate()
    with reading_as(EVERYBODY):
        assert WorkNotice.objects.get().escalated_at is not None
