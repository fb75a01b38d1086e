"""Work is opened and closed by the actions of the systems; an item is there once, and only in its organisation."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import IntegrityError, ProgrammingError, transaction

from sheka.office.scope import acting_in
from sheka.office.staff.permissions import Permission
from sheka.office.work.items import close_work, open_work, work_kind
from sheka.office.work.models import WorkItem


def opened(actor, kind, subject="case:1", **more):
    facts = {
        "organisation": "460100-01",
        "permission": Permission.EXCHANGE_COLLECT,
        "title_zh": "跑腿",
        "title_en": "Go",
    }
    return open_work(actor, kind=kind, subject=subject, **(facts | more))


def test_an_item_waits_until_it_is_closed(installer, tree, errand):
    item = opened(installer, errand, due_on=date(2026, 12, 1))
    assert (item.state, item.number, item.title("en"), item.title("zh-Hans")) == ("open", "1", "Go", "跑腿")
    done = close_work(installer, errand, "case:1")
    assert done == item
    assert done.state == "done" and done.closed_at is not None
    assert close_work(installer, errand, "case:1") is None, "what is done is done"


def test_a_step_told_twice_waits_once_and_can_come_again(installer, tree, errand):
    first = opened(installer, errand)
    assert opened(installer, errand) == first
    assert opened(installer, errand, organisation="460100-CC") != first, "two organisations may each have theirs"
    close_work(installer, errand, "case:1", organisation="460100-01")
    assert opened(installer, errand) != first
    with pytest.raises(IntegrityError), transaction.atomic():
        WorkItem.objects.filter(pk=first.pk).update(state="open", closed_at=None)


def test_only_declared_kinds_are_opened(installer, tree, errand):
    with pytest.raises(LookupError):
        opened(installer, "test.undeclared")
    with pytest.raises(ValueError, match="declared already"):
        work_kind(errand, None)


def test_work_of_another_organisation_is_neither_seen_nor_made(installer, tree, errand):
    opened(installer, errand)
    with acting_in("o000000.o460000.o460200"):
        assert not WorkItem.objects.exists()
        assert close_work(installer, errand, "case:1") is None
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            opened(installer, errand, "case:2")
    with acting_in():
        assert not WorkItem.objects.exists()
    assert WorkItem.objects.get().state == "open"


@pytest.mark.parametrize("fields", [{"state": "done"}, {"state": "waiting"}, {"waiting_until": date(2026, 12, 1)}])
def test_a_state_and_its_days_agree(installer, tree, errand, fields):
    item = opened(installer, errand)
    with pytest.raises(IntegrityError), transaction.atomic():
        WorkItem.objects.filter(pk=item.pk).update(**fields)
