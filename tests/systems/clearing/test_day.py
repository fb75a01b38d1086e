"""A day is sealed once, exactly, under load; reconciled item by item; netted when it is flat (S8)."""

from __future__ import annotations

import dataclasses
import threading
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connections
from tests.support.payments import CITY, HOSPITAL

from sheka.foundation.refusals import Code, Refused
from sheka.systems.clearing.acquirer_file import render
from sheka.systems.clearing.actions.import_file import import_file
from sheka.systems.clearing.actions.net_day import net_day
from sheka.systems.clearing.actions.reconcile_day import reconcile_day
from sheka.systems.clearing.actions.seal_day import seal_day
from sheka.systems.clearing.models import AcquirerLine, Day
from sheka.systems.clearing.queries import days_of, nets_of, our_lines
from sheka.systems.exceptions.models import ExceptionCase
from sheka.systems.transactions.queries import open_window
from sheka.systems.transactions.terminal import Terminal

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def officers(appoint, bank):
    return appoint("clearing", CITY, "clearing_officer"), appoint("settlement", CITY, "settlement_officer")


@pytest.fixture
def sealed(terminal, bank, officers):
    """A day with five purchases of 100 to 500 fen, one of them reversed, and one that was declined."""
    card = bank.cards[0].number
    for amount in (100, 200, 300, 400):
        assert terminal.purchase(card, amount).approved
    back = terminal.new_purchase(card, 500)
    terminal.send_purchase(back)
    terminal.reversal(back)
    assert not terminal.purchase(card, 10**9).approved
    return seal_day(officers[0], settlement_date=open_window().settlement_date)


@pytest.mark.req("S8")
def test_a_day_whose_file_agrees_is_flat_and_is_netted_once(sealed, officers):
    clearing, settlement = officers
    assert (sealed.count, sealed.purchases, sealed.reversals, sealed.net, sealed.result) == (
        6,
        1_500,
        500,
        1_000,
        "waiting",
    )
    assert seal_day(clearing, settlement_date=sealed.settlement_date) == sealed
    with pytest.raises(Refused) as refusal:
        reconcile_day(clearing, day=sealed)
    assert refusal.value.code is Code.CLEARING_NO_FILE
    data = render(HOSPITAL, sealed.settlement_date, our_lines(sealed, HOSPITAL))
    file = import_file(clearing, data=data)
    assert import_file(clearing, data=data) == file
    assert (file.count, file.purchases, file.reversals) == (6, 1_500, 500)
    assert reconcile_day(clearing, day=sealed).flat
    with pytest.raises(Refused) as refusal:
        net_day(clearing, day=sealed)
    assert refusal.value.code is Code.PERMISSION_MISSING
    (net,) = net_day(settlement, day=sealed)
    assert (net.amount, net.institution.code) == (1_000, HOSPITAL)
    with pytest.raises(Refused) as refusal:
        net_day(settlement, day=sealed)
    assert refusal.value.code is Code.STATE_FORBIDS
    assert [(day.state, day.result, day.net) for day in days_of(clearing)] == [("netted", "flat", 1_000)]
    assert nets_of(sealed).count() == 1


@pytest.mark.req("S8")
@pytest.mark.req("S10")
def test_every_difference_is_named_and_becomes_a_case(sealed, officers):
    clearing, settlement = officers
    ours = our_lines(sealed, HOSPITAL)
    theirs = ours[1:]  # only ours: 100
    theirs[0] = dataclasses.replace(theirs[0], amount=201)  # amount: 200 against 201
    theirs.append(theirs[1])  # duplicate: 300
    theirs.append(dataclasses.replace(ours[0], stan=777, amount=900))  # only theirs
    pair = [
        dataclasses.replace(ours[0], stan=888, amount=50),
        dataclasses.replace(ours[0], stan=888, amount=50, kind=2),
    ]
    import_file(clearing, data=render(HOSPITAL, sealed.settlement_date, [*theirs, *pair]))
    result = reconcile_day(clearing, day=sealed)
    assert Counter(item.reason for item in result.items) == {
        "only_ours": 1,
        "amount": 1,
        "duplicate": 1,
        "only_theirs": 1,
    }
    found = {case.reason: case for case in ExceptionCase.objects.all()}
    assert (found["only_ours"].ours["amount"], found["only_ours"].theirs) == (100, None)
    assert (found["only_theirs"].ours, found["only_theirs"].theirs["amount"]) == (None, 900)
    assert (found["amount"].ours["amount"], found["amount"].theirs["amount"], found["amount"].amount) == (200, 201, 1)
    assert found["duplicate"].theirs["times"] == 2
    assert reconcile_day(clearing, day=sealed).day.differences == 4
    assert ExceptionCase.objects.count() == 4, "the same differences open no second case"
    with pytest.raises(Refused) as refusal:
        net_day(settlement, day=sealed)
    assert refusal.value.code is Code.CLEARING_NOT_FLAT
    with pytest.raises(Refused) as refusal:
        import_file(clearing, data=render(HOSPITAL, sealed.settlement_date, ours))
    assert refusal.value.code is Code.CLEARING_FILE_TWICE


@pytest.mark.req("S8")
def test_a_file_that_is_wrong_leaves_nothing_behind(sealed, officers):
    clearing, _ = officers
    good = render(HOSPITAL, sealed.settlement_date, our_lines(sealed, HOSPITAL))
    for bad, code in (
        (good.replace(b"|R|", b"|Q|"), Code.CLEARING_FILE_LINE),
        (render("H46010099999", sealed.settlement_date, []), Code.INSTITUTION_UNKNOWN),
        (render(HOSPITAL, sealed.settlement_date + timedelta(days=1), []), Code.CLEARING_DAY_UNKNOWN),
    ):
        with pytest.raises(Refused) as refusal:
            import_file(clearing, data=bad)
        assert refusal.value.code is code
    assert not AcquirerLine.objects.exists()
    with pytest.raises(Refused) as refusal:
        seal_day(clearing, settlement_date=sealed.settlement_date + timedelta(days=2))
    assert refusal.value.code is Code.CLEARING_DAY_NOT_OPEN


@pytest.mark.req("S8")
def test_closing_under_load_puts_every_purchase_into_exactly_the_day_that_its_answer_said(switch, bank, officers):
    said: Counter[str] = Counter()
    lock = threading.Lock()
    stop = threading.Event()

    def pay(number: int) -> None:
        try:
            with Terminal(switch.host, switch.port, f"46010000000{number}", HOSPITAL, macs.mac, timeout=20) as terminal:
                while not stop.is_set():
                    answer = terminal.purchase(bank.cards[number].number, number)
                    assert answer.approved
                    with lock:
                        said[answer.settlement_day] += number
        finally:
            connections.close_all()  # the door of the machine asks the registry, in this thread too

    macs = bank
    threads = [threading.Thread(target=pay, args=(number,)) for number in (1, 2, 3)]
    for thread in threads:
        thread.start()
    days = []
    try:
        first = open_window().settlement_date
        for offset in range(4):
            before = sum(said.values())
            while sum(said.values()) < before + 40:
                stop.wait(0.01)
            days.append(seal_day(officers[0], settlement_date=first + timedelta(days=offset)))
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
    days.append(seal_day(officers[0], settlement_date=first + timedelta(days=4)))
    assert {f"{day.settlement_date:%m%d}": day.purchases for day in days if day.purchases} == said
    assert Day.objects.count() == 5
    bank.assert_ledger_holds()
