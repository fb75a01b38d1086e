"""An account moves to another city by messages, its holder too; what comes after an end is seen and paid (S6, S10)."""

from __future__ import annotations

import uuid

import pytest
from django.utils import timezone
from tests.support.approvals import decided
from tests.support.payments import CITY, make_cards

from sheka.equipment.server.node import NodeConfig
from sheka.foundation.refusals import Code, Refused
from sheka.office.documents.actions.keep_document import keep_document
from sheka.office.messages.delivery import carry_all, deliver_local, handle_waiting
from sheka.office.messages.models import Inbox, Outbox
from sheka.office.scope import acting_in
from sheka.office.staff.actors import Actor
from sheka.office.work.models import WorkItem
from sheka.systems.accounts.actions import keep_late_money as late_money
from sheka.systems.accounts.actions.change_state import close_account, freeze_account, release_account
from sheka.systems.accounts.actions.deposit import Deposit, deposit
from sheka.systems.accounts.actions.keep_late_money import keep_late_money, look_for_late_money
from sheka.systems.accounts.actions.open_account import open_account, open_accounts, open_party_account
from sheka.systems.accounts.actions.pay_late_money import propose_late_payment
from sheka.systems.accounts.actions.propose_ending import propose_closing, propose_inheritance, propose_move
from sheka.systems.accounts.models import Account, Kind, LateMoney, Moving, Payout, Succession
from sheka.systems.accounts.queries import balance, verify_ledger
from sheka.systems.cards.actions.order_cards import order_cards
from sheka.systems.cards.models import Card, Person, Registration
from sheka.systems.cards.queries.people import people_without_card

pytestmark = [pytest.mark.django_db, pytest.mark.req("S6")]
SANYA = "460200"
ORDER = {"reason": "户籍迁移", "document": "转移联系函7号"}
PAYEE = {"name": "王小明", "bank": "中国银行海口分行", "bank_account": "6216 6100 0000 1234"}


@pytest.fixture(autouse=True)
def node_folder(request, settings, tmp_path):
    """Where the documents of a test lie; a test with a switch keeps the node of its encryption machine."""
    if "switch" not in request.fixturenames:
        settings.NODE = NodeConfig.create_demo(tmp_path / "node", document_keys="file")


@pytest.fixture
def officer(appoint):
    return appoint("accounts", CITY, "account_officer")


@pytest.fixture
def supervisor(appoint):
    return appoint("supervisor", CITY, "account_supervisor")


@pytest.fixture
def node(tree):
    return Actor.process("test", CITY)


@pytest.fixture
def cards(tree):
    return make_cards(tree[CITY], 4)


@pytest.fixture
def accounts(node, cards):
    """Four accounts with 1,000.00 yuan each."""
    fund = open_party_account(node, kind=Kind.FUND, party="310")
    found = open_accounts(node, person_ids=[card.person_id for card in cards])
    items = [Deposit(uuid.uuid4(), account, 100_000, "2026-11") for account in found]
    deposit(node, fund=fund, deposits=items, total=400_000)
    return list(Account.objects.filter(kind=Kind.PERSONAL).order_by("number"))


def transits() -> dict[str, int]:
    return {one.organisation_id: balance(one) for one in Account.objects.filter(kind=Kind.TRANSIT)}


def banks() -> dict[str, int]:
    return {one.organisation_id: balance(one) for one in Account.objects.filter(kind=Kind.BANK)}


def refused(code, call, *args, **kwargs):
    with pytest.raises(Refused) as refusal:
        call(*args, **kwargs)
    assert refusal.value.code is code, refusal.value


@pytest.fixture
def reversal(node):
    """reversal(account, fen) → the money stands on the closed account, as after a reversal by the switch, which credits
    an account whatever its state (the last test here lets the switch do it).
    """

    def come(account, amount):
        fund = open_party_account(node, kind=Kind.FUND, party="310")
        Account.objects.filter(pk=account.pk).update(state="open")
        account.refresh_from_db()
        (booked,) = deposit(node, fund=fund, deposits=[Deposit(uuid.uuid4(), account, amount, "late")], total=amount)
        assert booked.done
        Account.objects.filter(pk=account.pk).update(state="closed")

    return come


def test_an_account_moves_by_messages_and_both_transit_accounts_end_at_zero(
    officer, supervisor, accounts, cards, appoint, tree
):
    account, person = accounts[0], cards[0].person_id
    refused(Code.MOVE_TARGET, propose_move, officer, number=account.number, to=CITY, **ORDER)
    refused(Code.MOVE_TARGET, propose_move, officer, number=account.number, to="460000", **ORDER)
    decided(supervisor, propose_move(officer, number=account.number, to=SANYA, **ORDER))
    account.refresh_from_db()
    assert (account.state, account.kind, account.balance) == ("closed", "former", 0)
    assert transits() == {CITY: 100_000}, "out of these books, and nowhere else yet"
    assert Person.objects.get(pk=person).organisation_id == CITY, "the new city has not taken the person yet"
    refused(Code.ACCOUNT_MOVING, open_account, officer, person_id=person)
    carry_all()
    there = Account.objects.get(kind=Kind.PERSONAL, person_id=person)
    assert (there.organisation_id, there.balance, there.state) == (SANYA, 100_000, "open")
    assert transits() == {CITY: 0, SANYA: 0} and banks() == {CITY: 100_000, SANYA: -100_000}
    sums = {
        place: sum(balance(one) for one in Account.objects.filter(organisation_id=place)) for place in (CITY, SANYA)
    }
    assert sums == {CITY: 0, SANYA: 0}, "the books of each side balance by themselves"
    assert sorted(Moving.objects.values_list("side", "state", "other")) == [
        ("in", "settled", CITY),
        ("out", "settled", SANYA),
    ]
    order = Payout.objects.get()
    assert (order.organisation_id, order.amount, order.reason, order.payee) == (CITY, 100_000, "moving", "三亚市")
    assert Succession.objects.get().to == {"city": SANYA}
    assert Person.objects.get(pk=person).organisation_id == SANYA
    kept = Registration.objects.filter(person_id=person)
    assert [(one.organisation_id, one.until is None) for one in kept] == [(CITY, False), (SANYA, True)]
    assert not Inbox.objects.filter(handled_at=None).exists() and not Inbox.objects.exclude(failure="").exists()
    assert verify_ledger() == []
    sanya = appoint("sanya", SANYA, "account_officer", "account_supervisor")
    back = propose_move(sanya, number=there.number, to=CITY, **ORDER)
    decided(appoint("boss", SANYA, "account_supervisor"), back)
    carry_all()
    home = Account.objects.get(kind=Kind.PERSONAL, person_id=person)
    assert (home.organisation_id, home.balance, home.number) == (CITY, 100_000, f"{account.number}A")
    assert (transits(), banks()) == ({CITY: 0, SANYA: 0}, {CITY: 0, SANYA: 0})
    assert Person.objects.get(pk=person).organisation_id == CITY and Registration.objects.count() == 3
    assert verify_ledger() == []


def test_every_message_twice_books_once(officer, supervisor, accounts):
    decided(supervisor, propose_move(officer, number=accounts[0].number, to=SANYA, **ORDER))
    for _ in range(3):
        deliver_local()
        handle_waiting()
        Inbox.objects.update(handled_at=None)  # each is handled again, as after a restore
        handle_waiting()
    carry_all()
    assert Outbox.objects.count() == 3 and Moving.objects.count() == 2 and Payout.objects.count() == 1
    assert transits() == {CITY: 0, SANYA: 0} and banks() == {CITY: 100_000, SANYA: -100_000}
    assert verify_ledger() == []


def test_who_sees_the_person_after_the_move(officer, supervisor, accounts, cards, tree):
    """The new city reads holder and card and orders no second one; the former still names its holder; no other does."""
    card = cards[0]
    decided(supervisor, propose_move(officer, number=accounts[0].number, to=SANYA, **ORDER))
    carry_all()
    person = Person.objects.get(pk=card.person_id)
    for place, people, seen in ((SANYA, 1, 1), (CITY, 4, 4)):
        with acting_in(tree[place].path):
            assert (Person.objects.count(), Card.objects.count()) == (people, seen), place
    with acting_in("o000000.o460000.o460300"):
        assert (Person.objects.count(), Card.objects.count(), Registration.objects.count()) == (0, 0, 0)
    sanya = Actor.process("test", SANYA)
    with acting_in(sanya.scope):
        assert not people_without_card(sanya).exists(), "the card of the former city is a card"
        former = Account.objects.select_related("person").get(kind=Kind.PERSONAL, person=person)
        assert former.person.name == person.name
    with acting_in(tree[CITY].path):
        assert Card.objects.select_related("person").get(pk=card.pk).person.name == person.name
        assert Person.objects.filter(pk=person.pk).update(name="x") == 0, "the former city changes nothing any more"
        assert Account.objects.select_related("person").get(pk=accounts[0].pk).person.name == person.name
    with acting_in(tree[SANYA].path):
        assert Card.objects.filter(pk=card.pk).update(state="lost") == 0, "the card is the issuer's"
    refused(
        Code.PERSON_ELSEWHERE,
        order_cards,
        Actor.process("test", CITY),
        people=[person],
        outlet="460100-01",
        layout_digest="ab" * 32,
    )


def test_an_empty_account_moves_without_money(node, cards, officer, supervisor):
    (account,) = open_accounts(node, person_ids=[cards[0].person_id])
    decided(supervisor, propose_move(officer, number=account.number, to=SANYA, **ORDER))
    carry_all()
    assert Account.objects.get(kind=Kind.PERSONAL).organisation_id == SANYA
    assert not Payout.objects.exists() and transits() == {}
    assert set(Moving.objects.values_list("state", flat=True)) == {"settled"}


# --- money that comes after the end ---


@pytest.mark.req("S10")
def test_late_money_follows_the_account_to_the_new_city(officer, supervisor, accounts, reversal):
    account = accounts[0]
    decided(supervisor, propose_move(officer, number=account.number, to=SANYA, **ORDER))
    carry_all()
    reversal(account, 2_500)
    assert look_for_late_money() == 1
    account.refresh_from_db()
    assert (account.state, account.balance) == ("closed", 0)
    carry_all()
    assert Account.objects.get(kind=Kind.PERSONAL, person_id=account.person_id).balance == 102_500
    assert transits() == {CITY: 0, SANYA: 0} and LateMoney.objects.get().state == "moved"
    assert balance(Account.objects.get(kind=Kind.SUSPENSE)) == 0
    assert not WorkItem.objects.filter(kind="account.late_money", state="open").exists()
    assert verify_ledger() == []


@pytest.mark.req("S10")
def test_late_money_waits_where_the_account_of_the_new_city_is_frozen(officer, supervisor, accounts, reversal):
    account, sanya = accounts[0], Actor.process("test", SANYA)
    decided(supervisor, propose_move(officer, number=account.number, to=SANYA, **ORDER))
    carry_all()
    there = Account.objects.get(kind=Kind.PERSONAL, person_id=account.person_id)
    freeze_account(sanya, number=there.number, reason="court order")
    reversal(account, 2_500)
    look_for_late_money()
    carry_all()
    row = LateMoney.objects.get(state="waiting")
    assert (row.organisation_id, row.account_id, row.amount) == (SANYA, there.pk, 2_500)
    assert look_for_late_money() == 0
    release_account(sanya, number=there.number, reason="released")
    assert look_for_late_money() == 1
    there.refresh_from_db()
    assert there.balance == 102_500 and transits() == {CITY: 0, SANYA: 0}
    assert verify_ledger() == []


@pytest.mark.req("S10")
def test_late_money_of_a_closed_account_is_seen_and_paid_to_the_holder(
    officer, supervisor, accounts, reversal, appoint
):
    account = accounts[0]
    decided(supervisor, propose_closing(officer, number=account.number, **PAYEE, **ORDER))
    reversal(account, 2_500)
    look_for_late_money()
    assert look_for_late_money() == 0
    account.refresh_from_db()
    row = LateMoney.objects.get()
    assert (account.balance, account.state, row.amount, row.state) == (0, "closed", 2_500, "waiting")
    assert balance(Account.objects.get(kind=Kind.SUSPENSE)) == 2_500
    item = WorkItem.objects.get(kind="account.late_money")
    assert (item.organisation_id, item.permission, account.number in item.title_zh) == (CITY, "account.move", True)
    words = {"reason": "销户后冲正到账", "document": "支付单9号"}
    refused(Code.PERMISSION_MISSING, propose_late_payment, supervisor, late=row.pk, **words)
    sanya = appoint("sanya", SANYA, "account_officer")
    refused(Code.LATE_MONEY_UNKNOWN, propose_late_payment, sanya, late=row.pk, **words)
    request, twice = (propose_late_payment(officer, late=row.pk, **words) for _ in range(2))
    assert request.payload["payees"][0]["bank_account"] == "6216610000001234"
    refused(Code.APPROVAL_OWN, decided, officer, request)
    decided(supervisor, request)
    row.refresh_from_db()
    assert (row.state, balance(Account.objects.get(kind=Kind.SUSPENSE))) == ("paid", 0)
    assert list(Payout.objects.order_by("pk").values_list("reason", "amount")) == [
        ("closing", 100_000),
        ("late", 2_500),
    ]
    refused(Code.LATE_MONEY_UNKNOWN, decided, supervisor, twice)
    assert WorkItem.objects.get(kind="account.late_money").state == "done"
    reversal(account, 7)
    assert keep_late_money(Actor.process("test", CITY), number=account.number).amount == 7, "and again, if more comes"
    assert verify_ledger() == []


@pytest.mark.req("S10")
def test_late_money_that_cannot_be_kept_holds_up_no_other(officer, supervisor, accounts, reversal, monkeypatch):
    """The turn fails with the first, and has seen to the second."""
    for account in accounts[:2]:
        decided(supervisor, propose_closing(officer, number=account.number, **PAYEE, **ORDER))
        reversal(account, 2_500)

    def kept(actor, *, number):
        if number == accounts[0].number:
            raise Refused(Code.ACCOUNT_POLICY, file="accounts.toml", what="receiving", day="2026-11-22")
        return keep_late_money(actor, number=number)

    monkeypatch.setattr(late_money, "keep_late_money", kept)
    refused(Code.ACCOUNT_POLICY, look_for_late_money)
    assert LateMoney.objects.get().account == accounts[1]


@pytest.mark.req("S10")
def test_late_money_of_an_inheritance_goes_to_the_heirs_by_the_same_shares(officer, supervisor, accounts, reversal):
    from tests.support.files import pdf

    account, heir = accounts[0], accounts[1]
    for kind in ("death_certificate", "inheritance_certificate"):
        subject = f"account:{account.number}"
        keep_document(officer, kind=kind, subject=subject, filename=f"{kind}.pdf", content=pdf())
    two = [
        {"name": "参保人2", "relation": "配偶", "account": heir.number, "parts": "2/3"},
        {"relation": "子女", **PAYEE, "parts": "1/3"},
    ]
    decided(supervisor, propose_inheritance(officer, number=account.number, rule="given", shares_of=two, **ORDER))
    before = balance(heir)
    reversal(account, 1_000)
    look_for_late_money()
    words = {"reason": "继承后冲正到账", "document": "支付单9号"}
    decided(supervisor, propose_late_payment(officer, late=LateMoney.objects.get().pk, **words))
    assert balance(heir) - before == 667
    assert Payout.objects.get(reason="late").amount == 333
    assert verify_ledger() == []


@pytest.mark.req("S10")
def test_late_money_of_an_account_that_was_closed_empty_needs_a_payee(node, cards, officer, supervisor, reversal):
    open_party_account(node, kind=Kind.FUND, party="310")
    (account,) = open_accounts(node, person_ids=[cards[0].person_id])
    close_account(officer, number=account.number, reason="离境")
    reversal(account, 900)
    look_for_late_money()
    late = LateMoney.objects.get()
    refused(Code.PAYEE_INVALID, propose_late_payment, officer, late=late.pk, **ORDER)
    decided(supervisor, propose_late_payment(officer, late=late.pk, **PAYEE, **ORDER))
    assert Payout.objects.get().amount == 900 and timezone.now() >= LateMoney.objects.get().ended_at
    assert verify_ledger() == []


@pytest.mark.req("S10")
@pytest.mark.django_db(transaction=True)
def test_the_switch_reverses_after_the_end_and_the_money_is_paid_out(bank, terminal, appoint):
    """A real switch over TCP: bought, closed and paid out, and then the reversal comes."""
    officer, supervisor = appoint("accounts", CITY, "account_officer"), appoint("boss", CITY, "account_supervisor")
    bought = terminal.new_purchase(bank.cards[0].number, 3_000)
    assert terminal.send_purchase(bought).approved
    account = bank.accounts[0]
    decided(supervisor, propose_closing(officer, number=account.number, **PAYEE, **ORDER))
    assert terminal.reversal(bought).approved
    account.refresh_from_db()
    assert (account.state, account.balance) == ("closed", 3_000)
    assert look_for_late_money() == 1
    decided(supervisor, propose_late_payment(officer, late=LateMoney.objects.get().pk, **ORDER))
    assert sorted(Payout.objects.values_list("amount", flat=True)) == [3_000, 97_000]
    bank.assert_ledger_holds()
