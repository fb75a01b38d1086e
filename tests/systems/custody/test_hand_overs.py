"""Two people, each present in a session of their own, or nothing moves (K6)."""

from datetime import timedelta

import pytest
from django.db import ProgrammingError, transaction
from django.utils import timezone
from tests.support.approvals import present

from sheka.foundation.refusals import Code, Refused
from sheka.office.incidents.models import Incident
from sheka.office.messages.delivery import carry_all
from sheka.office.messages.models import Inbox
from sheka.office.messages.outbox import send
from sheka.systems.custody.actions.begin_hand_over import begin_hand_over, give_hand_over
from sheka.systems.custody.actions.complete_hand_over import (
    cancel_hand_over,
    complete_hand_over,
    dispute_hand_over,
)
from sheka.systems.custody.clock import look_at_hand_overs
from sheka.systems.custody.models import Carrier, CarrierEvent, HandOver
from sheka.systems.custody.queries import carrier, carrier_in_hand, chain_of


@pytest.fixture
def begun(people, at_province):
    """A hand-over for use that Hainan's custodian began with the key officer."""
    return begin_hand_over(
        people["p-keeper"], serials=at_province[:1], purpose="use", reason="导出密钥", receiver="p-keys"
    )


def refused(code, call, *args, **kwargs):
    with pytest.raises(Refused) as caught:
        call(*args, **kwargs)
    assert caught.value.code is code


def give(actor, row):
    present(actor, row.digest)
    return give_hand_over(actor, number=row.number, digest=row.digest)


def take(actor, row, **more):
    present(actor, row.digest)
    return complete_hand_over(actor, number=row.number, digest=row.digest, **more)


@pytest.mark.req("K6")
def test_a_carrier_goes_from_the_store_to_its_user_by_two_people(people, at_province, begun):
    giver, user, serial = people["p-keeper"], people["p-keys"], at_province[0]
    give(giver, begun)
    assert carrier(giver, serial).state == "blank"
    take(user, begun)
    held = carrier(giver, serial)
    assert (held.state, held.keeper.login, held.hand_over) == ("in_use", "p-keys", "")
    assert chain_of(giver, serial)[-1].title.zh == "双人交接：p-keeper 员交p-keys 员"
    back = begin_hand_over(user, serials=[serial], purpose="keep", reason="用毕", receiver="p-keeper2")
    give(user, back)
    take(people["p-keeper2"], back)
    assert (carrier(giver, serial).state, carrier(giver, serial).keeper) == ("blank", None)


@pytest.mark.req("K6")
def test_neither_of_the_two_does_it_alone_nor_without_being_present(people, at_province, begun):
    giver, user = people["p-keeper"], people["p-keys"]
    refused(Code.CONFIRMATION_NEEDED, give_hand_over, giver, number=begun.number, digest=begun.digest)
    refused(Code.STATE_FORBIDS, complete_hand_over, user, number=begun.number, digest=begun.digest)
    give(giver, begun)
    refused(Code.CUSTODY_SAME_PERSON, take, giver, begun)
    refused(Code.CONFIRMATION_NEEDED, complete_hand_over, user, number=begun.number, digest=begun.digest)
    refused(Code.CARRIER_NOT_IN_HAND, take, people["p-keeper2"], begun)
    present(user, "0" * 64)
    refused(Code.CUSTODY_STALE, complete_hand_over, user, number=begun.number, digest="0" * 64)
    assert carrier(giver, at_province[0]).state == "blank"


@pytest.mark.req("K6")
def test_two_accounts_of_one_person_are_one_person(people, appoint, at_province):
    again = appoint("p-keeper-again", "460000", "custodian", person="p-keeper")
    row = begin_hand_over(
        people["p-keeper"], serials=at_province[:1], purpose="keep", reason="换人保管", receiver="p-keeper-again"
    )
    give(people["p-keeper"], row)
    refused(Code.CUSTODY_SAME_PERSON, take, again, row)


@pytest.mark.req("K6")
def test_who_does_not_hold_it_does_not_give_it(people, at_province):
    serial = at_province[0]
    call = {"serials": [serial], "purpose": "use", "reason": "导出密钥", "receiver": "p-keeper"}
    refused(Code.CARRIER_NOT_IN_HAND, begin_hand_over, people["p-keys"], **call)
    refused(Code.CARRIER_UNKNOWN, begin_hand_over, people["c-keeper"], **{**call, "receiver": "c-keys"})


@pytest.mark.req("K6")
def test_what_is_not_completed_in_time_lapses_and_is_free_again(people, at_province, begun):
    give(people["p-keeper"], begun)
    HandOver.objects.filter(pk=begun.pk).update(expires_at=timezone.now() - timedelta(minutes=1))
    refused(Code.HAND_OVER_EXPIRED, take, people["p-keys"], begun)
    look_at_hand_overs()
    begun.refresh_from_db()
    assert (begun.state, carrier(people["p-keeper"], at_province[0]).hand_over) == ("expired", "")


@pytest.mark.req("K6", "K5")
def test_a_sealed_bag_goes_on_to_the_city_and_the_ministry_knows_where_it_is(people, at_province, handed):
    row = begin_hand_over(
        people["p-keeper"],
        serials=at_province,
        purpose="send",
        reason="下发",
        to="460100",
        bag="HN-77",
        courier="机要通信",
    )
    give(people["p-keeper"], row)
    carry_all()
    assert carrier(people["p-keeper"], at_province[0]).state == "in_transit"
    refused(Code.CARRIER_NOT_IN_HAND, carrier_in_hand, people["c-keeper"], at_province[0])
    refused(Code.PERMISSION_MISSING, take, people["c-keys"], row, bag="HN-77")
    refused(Code.HAND_OVER_SEAL, take, people["c-keeper"], row, bag="HN-78")
    take(people["c-keeper"], row, bag="hn-77")
    carry_all()
    assert [Carrier.objects.get(serial=at_province[0], organisation_id=at).at for at in ("000000", "460000")] == [
        "460100"
    ] * 2
    assert carrier_in_hand(people["c-keeper"], at_province[0]).seal == "HN-77"
    assert chain_of(people["m-keeper"], at_province[0])[-1].title.en == "Hainan handed it to Haikou"


@pytest.mark.req("K5")
def test_a_serial_that_the_ministry_did_not_issue_is_not_taken(people, at_province):
    """A forged register at the province: its card never came from the ministry."""
    forged = Carrier.objects.get(organisation_id="460000", serial=at_province[0])
    forged.pk, forged.serial = None, "FORGED0001"
    forged.save()
    row = begin_hand_over(
        people["p-keeper"], serials=["FORGED0001"], purpose="send", reason="下发", to="460100", bag="B1", courier="某某"
    )
    give(people["p-keeper"], row)
    carry_all()
    refused(Code.CARRIER_NOT_ISSUED, take, people["c-keeper"], row, bag="B1")
    refused(Code.CARRIER_NOT_IN_HAND, carrier_in_hand, people["c-keeper"], "FORGED0001")


@pytest.mark.req("K6")
def test_a_broken_seal_stops_the_carriers_at_both_ends_and_is_an_incident(people, at_province):
    row = begin_hand_over(
        people["p-keeper"], serials=at_province, purpose="send", reason="下发", to="460100", bag="B1", courier="某某"
    )
    give(people["p-keeper"], row)
    carry_all()
    dispute_hand_over(people["c-keeper"], number=row.number, reason="封口被拆开过")
    carry_all()
    states = Carrier.objects.filter(serial__in=at_province, organisation_id__in=("460000", "460100"))
    assert set(states.values_list("state", flat=True)) == {"frozen"}
    found = Incident.objects.filter(organisation_id__in=("460100", "460000", "000000"))
    assert [copy.about.splitlines() for copy in found] == 3 * [
        [
            f"拒收交接 {row.number}（封装袋 B1）。",
            f"The hand-over {row.number} (bag B1) was refused.",
            "封口被拆开过",
        ]
    ]


@pytest.mark.req("K6")
def test_what_was_sent_is_called_back_unless_it_was_taken(people, at_province):
    giver, receiver = people["p-keeper"], people["c-keeper"]
    row = begin_hand_over(giver, serials=at_province, purpose="send", reason="下发", to="460100")
    give(giver, row)
    carry_all()
    assert cancel_hand_over(giver, number=row.number, reason="对方未到场").state == "recalled"
    carry_all()
    assert carrier_in_hand(giver, at_province[0]).keeper.login == "p-keeper"
    refused(Code.STATE_FORBIDS, take, receiver, row)

    again = begin_hand_over(giver, serials=at_province, purpose="send", reason="下发", to="460100")
    give(giver, again)
    carry_all()
    take(receiver, again)
    cancel_hand_over(giver, number=again.number, reason="对方未到场")
    carry_all()
    assert HandOver.objects.get(number=again.number, organisation_id="460000").state == "completed"
    assert carrier(giver, at_province[0]).state == "away"


@pytest.mark.req("K6")
def test_a_bag_that_is_late_is_told_and_then_an_incident(people, at_province):
    row = begin_hand_over(
        people["p-keeper"], serials=at_province, purpose="send", reason="下发", to="460100", bag="B1", courier="某某"
    )
    give(people["p-keeper"], row)
    carry_all()
    HandOver.objects.filter(number=row.number).update(expires_at=timezone.now() - timedelta(days=4))
    look_at_hand_overs()
    assert not Incident.objects.exists()
    look_at_hand_overs()
    look_at_hand_overs()
    zh, en = Incident.objects.get(organisation_id="460000").about.splitlines()
    assert (zh.endswith("逾期 4 天未签收。"), en.endswith("is 4 days late.")) == (True, True)
    assert carrier(people["p-keeper"], at_province[0]).state == "frozen"


@pytest.mark.req("K6")
def test_the_chain_of_custody_cannot_be_changed(at_province):
    for change in (lambda rows: rows.update(by="nobody"), lambda rows: rows.delete()):
        with pytest.raises(ProgrammingError), transaction.atomic():
            change(CarrierEvent.objects.all())


def test_a_message_about_an_unknown_hand_over_stays_in_the_inbox(people):
    send("460000", "460100", "custody.completed", {"number": "JJ0", "by": "x"})
    carry_all()
    assert str(Code.CUSTODY_UNKNOWN.value) in Inbox.objects.get(recipient="460100").failure
