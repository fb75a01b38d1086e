"""Blind counts by two people; a variance is an incident at once (K6)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.incidents.models import Incident
from sheka.office.work.models import WorkItem
from sheka.systems.custody.actions.begin_hand_over import begin_hand_over
from sheka.systems.custody.actions.count_stock import count_stock, give_up_count, open_count
from sheka.systems.custody.actions.places import add_place, close_place, store_carrier
from sheka.systems.custody.clock import look_at_counts
from sheka.systems.custody.models import Carrier
from sheka.systems.custody.queries import chain_of, count_sheet, counts


@pytest.fixture
def safe(people, at_province):
    """Hainan's safe, with a shelf on which both carriers lie."""
    made = add_place(people["p-keeper"], name="一号保险柜")
    shelf = add_place(people["p-keeper"], name="上层", parent_id=made.pk)
    for serial in at_province:
        store_carrier(people["p-keeper"], serial, shelf.pk)
    return made


@pytest.mark.req("K6")
def test_two_people_find_what_is_there_and_are_not_told_it(people, at_province, safe):
    sheet = open_count(people["p-keeper"], place_id=safe.pk)
    assert count_sheet(people["p-keeper"], sheet.number).expected == []
    assert "expected" in counts(people["p-keeper"]).get().get_deferred_fields()
    count_stock(people["p-keeper"], number=sheet.number, serials=[*at_province, " "])
    assert count_sheet(people["p-auditor"], sheet.number).expected == []
    done = count_stock(people["p-auditor"], number=sheet.number, serials=at_province)
    assert (done.state, done.missing, done.unexpected, done.incident) == ("agreed", [], [], "")
    assert count_sheet(people["p-keeper"], sheet.number).expected == sorted(at_province)
    assert chain_of(people["p-keeper"], at_province[0])[-1].title.en == f"Found at the count {sheet.number}"


@pytest.mark.req("K6", "K9")
def test_what_one_of_them_did_not_find_and_what_is_too_much_is_an_incident(people, at_province, safe):
    sheet = open_count(people["p-keeper"], place_id=safe.pk)
    count_stock(people["p-keeper"], number=sheet.number, serials=at_province)
    done = count_stock(people["p-approver"], number=sheet.number, serials=[at_province[0], "STRANGE01"])
    assert (done.state, done.missing, done.unexpected) == ("differed", [at_province[1]], ["STRANGE01"])
    found = Incident.objects.get(number=done.incident, organisation_id="460000")
    assert found.kind == "count_variance"
    zh, en = found.about.splitlines()
    assert zh.endswith(f"账实不符。两人未同时见到：{at_province[1]}。登记簿之外：STRANGE01。")
    assert en.endswith(f"the register. Not seen by both: {at_province[1]}. Beside the register: STRANGE01.")


@pytest.mark.req("K6")
def test_one_person_does_not_count_twice_and_nothing_moves_meanwhile(people, at_province, safe):
    sheet = open_count(people["p-keeper"], place_id=safe.pk)
    count_stock(people["p-keeper"], number=sheet.number, serials=at_province)
    for code, call in (
        (Code.CUSTODY_SAME_PERSON, lambda: count_stock(people["p-keeper"], number=sheet.number, serials=at_province)),
        (
            Code.COUNT_RUNNING,
            lambda: begin_hand_over(
                people["p-keeper"], serials=at_province, purpose="use", reason="使用", receiver="p-keys"
            ),
        ),
        (Code.COUNT_RUNNING, lambda: open_count(people["p-keeper"], place_id=safe.parts.get().pk)),
        (Code.COUNT_RUNNING, lambda: close_place(people["p-keeper"], place_id=safe.pk)),
        (Code.PERMISSION_MISSING, lambda: count_stock(people["p-keys"], number=sheet.number, serials=at_province)),
    ):
        with pytest.raises(Refused) as refused:
            call()
        assert refused.value.code is code
    give_up_count(people["p-keeper"], number=sheet.number, reason="停电")
    begin_hand_over(people["p-keeper"], serials=at_province, purpose="use", reason="使用", receiver="p-keys")
    with pytest.raises(Refused) as refused:
        open_count(people["p-keeper"], place_id=safe.pk)
    assert refused.value.code is Code.CARRIER_NOT_IN_HAND


@pytest.mark.req("K6")
def test_the_policy_asks_for_a_count_when_it_is_due(people, safe):
    look_at_counts()
    assert not WorkItem.objects.filter(kind="carrier.count_due").exists()
    Carrier.objects.filter(organisation_id="460000").update(since=timezone.now() - timedelta(days=89))
    look_at_counts()
    look_at_counts()
    assert WorkItem.objects.get(kind="carrier.count_due").organisation_id == "460000"


def test_a_place_with_something_in_it_is_not_closed(people, safe):
    shelf = safe.parts.get()
    for place in (safe, shelf):
        with pytest.raises(Refused) as refused:
            close_place(people["p-keeper"], place_id=place.pk)
        assert refused.value.code is Code.CUSTODY_ENTRY
    empty = add_place(people["p-keeper"], name="下层", parent_id=safe.pk)
    assert close_place(people["p-keeper"], place_id=empty.pk).closed_at is not None
