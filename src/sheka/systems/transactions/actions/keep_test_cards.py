"""The city's cards for tests (S4): good at test terminals only, with test money from a fund of its own."""

from __future__ import annotations

from uuid import UUID

from django.db import connection
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.accounts.actions.deposit import Deposit, deposit
from sheka.systems.accounts.actions.open_account import open_accounts, open_party_account
from sheka.systems.accounts.models import Account, Kind
from sheka.systems.accounts.queries import account_of, statement
from sheka.systems.transactions.acquiring_models import TestCard

TEST_FUND = "TEST"


@action(Permission.ACQUIRING_ACTIVATE)
def name_test_card(actor: Actor, *, card_number: str) -> TestCard:
    """Set a card apart for tests. Its account was never booked on: no citizen's card becomes one by mistake.

    Raises Refused(TEST_CARD_UNFIT).
    """
    known = TestCard.objects.filter(card_number=card_number, ended_at=None).first()
    if known is not None:
        actor.must_act_for(known.organisation_id)
        record(actor, "test_card.found", f"test_card:{known.pk}")
        return known
    person, state = _holder(card_number)
    if state != "active":
        raise _unfit("卡不存在或未启用", "it is unknown or not active")
    account = account_of(person)
    if account is not None and account.organisation_id != actor.organisation:
        raise _unfit("不是本市的卡", "it is not of this city")
    if account is not None and statement(account).exists():
        raise _unfit("账户已有入账", "its account has been booked on")
    made = TestCard.objects.create(
        organisation_id=actor.organisation, card_number=card_number, by=actor.name, at=timezone.now()
    )
    record(actor, "test_card.named", f"test_card:{made.pk}")
    return made


@action(Permission.ACCOUNT_DEPOSIT)
def fund_test_card(actor: Actor, *, card_number: str, amount: int, client_id: UUID) -> Account:
    """Pay test money (fen) into the account of a test card, from the fund of tests.

    Raises Refused: TEST_CARD_UNKNOWN, and what a deposit raises.
    """
    found = TestCard.objects.filter(card_number=card_number, ended_at=None).first()
    if found is None:
        raise Refused(Code.TEST_CARD_UNKNOWN)
    actor.must_act_for(found.organisation_id)
    person, _ = _holder(card_number)
    (account,) = open_accounts(actor, person_ids=[person])
    fund = open_party_account(actor, kind=Kind.FUND, party=TEST_FUND)
    (booked,) = deposit(actor, fund=fund, deposits=[Deposit(client_id, account, amount, "test card")], total=amount)
    if booked.refusal:
        raise Refused(Code(booked.refusal))
    record(actor, "test_card.funded", f"test_card:{found.pk}", amount=amount)
    account.refresh_from_db()
    return account


def money_of_test_card(card: TestCard) -> int:
    """The fen on the account behind a card for tests, 0 without one."""
    account = account_of(_holder(card.card_number)[0])
    return account.balance if account is not None else 0


def _holder(card_number: str) -> tuple[int, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT person_id, state FROM cards_holder(%s)", [card_number])
        row = cursor.fetchone()
    if row is None:
        raise _unfit("卡不存在或未启用", "it is unknown or not active")
    return row[0], row[1]


def _unfit(zh: str, en: str) -> Refused:
    return Refused(Code.TEST_CARD_UNFIT, problem=Term(zh, en))
