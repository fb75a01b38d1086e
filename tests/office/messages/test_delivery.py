"""Messages between organisations: each arrives once, in order, and none is lost when its handler refuses."""

from __future__ import annotations

import pytest
from django.db import transaction

from sheka.foundation.refusals import Code, Refused
from sheka.office.messages import handlers
from sheka.office.messages.delivery import carry_all, deliver_local, handle_waiting, receive
from sheka.office.messages.models import Inbox, Outbox
from sheka.office.messages.outbox import send


@pytest.fixture
def heard(monkeypatch):
    """What the handler of test messages was told; a payload with `refuse` is refused."""
    seen = []

    def listen(message):
        if message.payload.get("refuse"):
            raise Refused(Code.STAFF_UNKNOWN, name="x")
        seen.append((message.source, message.sequence))

    monkeypatch.setitem(handlers._handlers, "test.news", listen)
    return seen


def test_a_message_to_an_organisation_on_the_same_node_goes_through_both_boxes(tree, heard):
    send("460100", "460000", "test.news", {"text": "中文"})
    assert carry_all() == 1
    assert heard == [("460100", 1)]
    assert Outbox.objects.get().delivered_at is not None
    assert Inbox.objects.get().handled_at is not None
    assert carry_all() == 0


def test_the_same_message_twice_is_handled_once(tree, heard):
    sent = send("460100", "460000", "test.news", {})
    deliver_local()
    receive(sent)
    receive(sent)
    handle_waiting()
    handle_waiting()
    assert heard == [("460100", 1)]


def test_a_rolled_back_change_sends_nothing_and_leaves_no_gap(tree, heard):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        send("460100", "460000", "test.news", {})
        raise ZeroDivisionError
    send("460100", "460000", "test.news", {})
    carry_all()
    assert heard == [("460100", 1)]


def test_a_refused_message_stays_and_nothing_of_the_pair_overtakes_it(tree, heard):
    send("460100", "460000", "test.news", {"refuse": True})
    send("460100", "460000", "test.news", {})
    send("460200", "460000", "test.news", {})
    carry_all()
    assert heard == [("460200", 1)]
    assert Inbox.objects.get(source="460100", sequence=1).failure.startswith("3010 ")
    Inbox.objects.filter(source="460100", sequence=1).update(kind="test.news", payload={})
    carry_all()
    assert heard == [("460200", 1), ("460100", 1), ("460100", 2)]


def test_an_altered_message_is_not_taken(tree):
    sent = send("460100", "460000", "test.news", {"amount": 1})
    sent.payload = {"amount": 100}
    with pytest.raises(Refused) as refused:
        receive(sent)
    assert refused.value.code is Code.MESSAGE_ALTERED
    assert not Inbox.objects.exists()


def test_an_unknown_kind_waits_for_an_upgrade(tree):
    send("460100", "460000", "test.not_known_here", {})
    assert carry_all() == 0
    assert "3302" in Inbox.objects.get().failure
