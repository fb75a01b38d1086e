"""People of two outlets and their city who share queues, and an errand for them to do."""

from __future__ import annotations

import pytest

from sheka.foundation.terms import Term
from sheka.office.staff.permissions import Permission
from sheka.office.work import kinds, notices
from sheka.office.work.items import open_work, work_kind


@pytest.fixture(autouse=True)
def errand():
    """A kind of work that only these tests know."""
    work_kind("test.errand", Term("跑腿", "Errand"))
    yield "test.errand"
    del kinds._kinds["test.errand"]


@pytest.fixture
def alarm():
    """A kind of notice that goes up after two days."""
    notices.notice_kind("test.alarm", Term("警报", "Alarm"), severity="stop", escalates_after=2)
    yield "test.alarm"
    del notices._kinds["test.alarm"]


@pytest.fixture
def clerk(appoint):
    return appoint("clerk", "460100-01", "clerk")


@pytest.fixture
def colleague(appoint):
    return appoint("colleague", "460100-01", "clerk")


@pytest.fixture
def supervisor(appoint):
    return appoint("supervisor", "460100", "card_supervisor")


@pytest.fixture
def errands(installer, tree, errand):
    """errands(subject, …, due_on=…) → an item in the pool of the outlet's clerks."""

    def make(subject="case:1", **facts):
        usual = {
            "kind": errand,
            "organisation": "460100-01",
            "permission": Permission.EXCHANGE_COLLECT,
            "title_zh": "跑腿",
            "title_en": "Run an errand",
        }
        return open_work(installer, subject=subject, **(usual | facts))

    return make
