"""The story's money: a deposit, purchases, refusals, a reversal, the day sealed and flat (S4, S6, S8, S10)."""

from __future__ import annotations

import uuid

from django.db.models import QuerySet
from django.utils import timezone

from sheka.faces.story.cast import HAIKOU, PHARMACY, acting
from sheka.faces.story.stage import Stage, Step, must, until
from sheka.foundation.numbers import terminal_number
from sheka.foundation.refusals import Code, Refused
from sheka.systems.accounts.actions.deposit import Deposit, deposit
from sheka.systems.accounts.actions.open_account import open_accounts, open_party_account
from sheka.systems.accounts.models import Kind
from sheka.systems.accounts.queries import account_of, balance, verify_ledger
from sheka.systems.cards.actions.check_card import check_card
from sheka.systems.cards.models import Card
from sheka.systems.clearing.acquirer_file import FileLine, render
from sheka.systems.clearing.actions.import_file import import_file
from sheka.systems.clearing.actions.net_day import net_day
from sheka.systems.clearing.actions.reconcile_day import reconcile_day
from sheka.systems.clearing.actions.seal_day import seal_day
from sheka.systems.clearing.queries import day_of
from sheka.systems.keys.machines import machine_of
from sheka.systems.transactions.actions.close_window import open_first_window
from sheka.systems.transactions.actions.keep_test_cards import fund_test_card, name_test_card
from sheka.systems.transactions.actions.onboard_institution import accept_testing, begin_testing
from sheka.systems.transactions.actions.register_institution import (
    change_institution,
    change_terminals,
    register_institution,
    register_terminals,
)
from sheka.systems.transactions.models import Institution
from sheka.systems.transactions.onboarding import progress
from sheka.systems.transactions.queries import verify_seals, verify_transactions
from sheka.systems.transactions.rehearsal import rehearse
from sheka.systems.transactions.terminal import Answer, Purchase, Terminal

MONTH_FEN = 28_650
"""One month's allocation to a personal account in the story, in fen."""
PRICE_FEN = 3_580
PURCHASE, REVERSAL = 1, 2


def open_shop(stage: Stage) -> str:
    """S4: the pharmacy and its terminal are registered, its MAC key made in the city's machine."""
    officer, today = acting("haikou-acquiring"), timezone.localdate()
    institution = register_institution(
        officer,
        code=PHARMACY,
        name="海口椰风药房（演示）",
        contract="演示协议2026-001",
        contract_from=today.replace(month=1, day=1),
        contract_to=today.replace(year=today.year + 2, month=1, day=1),
        region="460106",
        address="海口市龙华区（演示地址）",
        contact="药房收单联系人（演示）",
    )
    number = terminal_number("460100", 1).text
    register_terminals(
        officer,
        institution_code=PHARMACY,
        numbers=[number],
        model="演示终端",
        serial="DEMO-0001",
        software="2.4.1",
        place="药房收银台",
        region="460106",
        latitude="20.031",
        longitude="110.329",
    )
    open_first_window(acting("haikou-clearing"), settlement_date=today)
    stage.made["terminal"] = number
    return f"{PHARMACY} · {number} · MAC key {institution.mac_check_value}"


def take_in(stage: Stage) -> str:
    """S4: the pharmacy's software passes the script of test transactions at the switch; another person activates it."""
    officer, supervisor = acting("haikou-acquiring"), acting("haikou-acquiring-2")
    card = _active_cards(stage)[1]
    stage.made["test_card"] = card.pk
    name_test_card(supervisor, card_number=card.number)
    fund_test_card(acting("haikou-accounts"), card_number=card.number, amount=10_000, client_id=uuid.uuid4())
    number = terminal_number("460100", 900_001).text
    tests = begin_testing(officer, code=PHARMACY, protocol="1.0", software="2.4.1", terminals=[number])
    key = Institution.objects.get(test_of__code=PHARMACY).mac_key
    listener = stage.node.switch
    with (
        Terminal(listener.host, listener.port, number, f"{PHARMACY}T", lambda m: _mac(key, m)) as line,
        Terminal(listener.host, listener.port, number, f"{PHARMACY}T", lambda _: bytes(4), first_stan=900) as spoiled,
    ):
        rehearse(line, spoiled, card.number)
    until(lambda: all(tick.done for tick in progress(tests)), "every step of the script ticked off by the switch")
    accept_testing(officer, code=PHARMACY)
    try:
        change_institution(officer, code=PHARMACY, verb="activate")
    except Refused as refusal:
        alone = refusal.number
    change_institution(supervisor, code=PHARMACY, verb="activate")
    change_terminals(supervisor, numbers=[stage.made["terminal"]], verb="activate")
    return f"{len(progress(tests))} steps, software 2.4.1; the officer alone: no. {alone}"


def pay_in(stage: Stage) -> str:
    """S6: the monthly allocation for everybody who has a card, booked from the fund, total checked."""
    officer = acting("haikou-accounts")
    fund = open_party_account(officer, kind=Kind.FUND, party="310")
    holders = [card.person_id for card in _active_cards(stage)]
    accounts = open_accounts(officer, person_ids=holders)
    deposits = [Deposit(uuid.uuid4(), account, MONTH_FEN, "2026-11") for account in accounts]
    booked = deposit(officer, fund=fund, deposits=deposits, total=MONTH_FEN * len(deposits))
    must(not any(row.refusal for row in booked), "every deposit is booked")
    again = deposit(officer, fund=fund, deposits=deposits, total=MONTH_FEN * len(deposits))
    must([row.posting for row in again] == [row.posting for row in booked], "the same again books nothing twice")
    must(balance_of(stage) == MONTH_FEN, "the balance is one month's allocation")
    return f"{len(booked)} × {MONTH_FEN} fen"


def authenticate(stage: Stage) -> str:
    """C1: internal authentication, the answer expected by the city's machine."""
    card = check_card(acting("longhua-clerk"), reader=stage.drawer.reader(stage.made["card"].number))
    must(card.pk == stage.made["card"].pk, "the card in the reader is the story's card")
    return str(card)


def buy(stage: Stage) -> str:
    """S4: paid over ISO 8583 on TCP; the same request again answers the same and debits once."""
    with terminal(stage) as line:
        must(line.sign_on().approved, "the line and the key are right")
        purchase = line.new_purchase(stage.made["card"].number, PRICE_FEN)
        first = line.send_purchase(purchase)
        second = line.send_purchase(purchase, repeat=True)
    note(stage, purchase)
    must(first.approved and first.balance == MONTH_FEN - PRICE_FEN, "approved, with the balance after it")
    must((second.response_code, second.authorisation) == (first.response_code, first.authorisation), "the same answer")
    must(balance_of(stage) == MONTH_FEN - PRICE_FEN, "debited once")
    return f"39={first.response_code}, balance {first.balance} fen"


def overdraw(stage: Stage) -> str:
    """C2: no overdraft, ever."""
    with terminal(stage, stan=100) as line:
        answer = line.purchase(stage.made["card"].number, MONTH_FEN)
    return _refused(stage, answer, "an overdraft is refused")


def go_abroad(stage: Stage) -> str:
    """C3: a foreign currency and a foreign acceptor are refused."""
    with terminal(stage, stan=200) as line:
        told = _refused(stage, line.purchase(stage.made["card"].number, 100, currency="840"), "US dollars are refused")
    with terminal(stage, stan=300, country="840") as line:
        abroad = line.purchase(stage.made["card"].number, 100)
    return f"{told}; {_refused(stage, abroad, 'a foreign acceptor is refused')}"


def reverse(stage: Stage) -> str:
    """S10: the answer is lost, the terminal reverses; a second reversal changes nothing."""
    with terminal(stage, stan=400) as line:
        purchase = line.new_purchase(stage.made["card"].number, 1_200)
        must(line.send_purchase(purchase).approved, "the purchase whose answer is lost")
        must(line.reversal(purchase).approved, "the reversal")
        must(line.reversal(purchase, repeat=True).approved, "the repeat answers the same")
        note(stage, purchase)
        note(stage, purchase, REVERSAL)
        never_seen = line.new_purchase(stage.made["card"].number, 700)
        early = line.reversal(never_seen)
        late = line.send_purchase(never_seen)
    must(early.response_code == "25" and not late.approved, "an original that comes after its reversal is refused")
    must(balance_of(stage) == MONTH_FEN - PRICE_FEN, "nothing was taken")
    return f"late original: 39={late.response_code}, no. {late.refusal}"


def close_day(stage: Stage) -> str:
    """S8: the day sealed, reconciled against the acquirer's file: flat; netted."""
    officer, today = acting("haikou-clearing"), timezone.localdate()
    day = seal_day(officer, settlement_date=today)
    import_file(officer, data=render(PHARMACY, today, stage.made["journal"]))
    result = reconcile_day(officer, day=day)
    must(result.flat, f"flat, not {result.items}")
    net = net_day(acting("haikou-settlement"), day=day_of(HAIKOU, today))
    must(sum(row.amount for row in net) == PRICE_FEN, "the pharmacy is owed what was bought")
    must(not verify_ledger() and not verify_transactions() and not verify_seals(), "the books hold")
    return f"{day.count} transactions, net {sum(row.amount for row in net)} fen"


def note(stage: Stage, purchase: Purchase, kind: int = PURCHASE) -> None:
    """The pharmacy's own journal, kept by its terminal: what its file of the day is made of."""
    journal = stage.made.setdefault("journal", [])
    rrn = f"{purchase.stan:012d}"
    line = FileLine(
        len(journal) + 2,
        purchase.at.date(),
        stage.made["terminal"],
        purchase.stan,
        kind,
        purchase.card_number,
        purchase.amount,
        rrn,
    )
    journal.append(line)


def terminal(stage: Stage, *, stan: int = 1, country: str = "156") -> Terminal:
    """The pharmacy's terminal with its PSAM; a later line begins with a higher `stan`. The institution's MAC key is in
    the city's machine, which stands for the institution's own here.
    """
    key = Institution.objects.get(code=PHARMACY).mac_key
    listener = stage.node.switch
    return Terminal(
        listener.host,
        listener.port,
        stage.made["terminal"],
        PHARMACY,
        lambda message: _mac(key, message),
        country=country,
        first_stan=stan,
        psam=stage.made["psam"],
        psam_sequence=stan,
    )


def _mac(key: str, message: bytes) -> bytes:
    return machine_of(HAIKOU).macs(key, None, [message])[0]


def _active_cards(stage: Stage) -> QuerySet[Card]:
    """Those of citizens: a test card gets no allocation."""
    cards = Card.objects.filter(pk__in=stage.made["cards"], state="active")
    return cards.exclude(pk=stage.made.get("test_card")).order_by("pk")


def balance_of(stage: Stage) -> int:
    """The personal account of the story's holder, in fen."""
    account = account_of(stage.made["card"].person_id)
    must(account is not None, "the holder has an account")
    return balance(account)


def _refused(stage: Stage, answer: Answer, what: str) -> str:
    must(not answer.approved, what)
    must(balance_of(stage) == MONTH_FEN - PRICE_FEN, "a refusal takes nothing")
    return refused(answer)


def refused(answer: Answer) -> str:
    """The response code and the number behind it."""
    known = {code.value: code.name for code in Code}
    return f"39={answer.response_code}, no. {answer.refusal} {known.get(answer.refusal, '')}"


SHOP = [
    Step("S4", "药房与终端登记", "The pharmacy and its terminal registered", open_shop),
    Step("S4", "药房入网测试通过，换人启用", "The pharmacy passes its tests, another person activates it", take_in),
]
STEPS = [
    Step("S6", "按月划入个人账户，重复请求只记一次", "A deposit on the personal accounts, once", pay_in),
    Step("C1", "内部认证：证明是真卡", "The card authenticated by internal authentication", authenticate),
    Step("S4", "经 ISO 8583 消费，重复请求只扣一次", "A purchase over ISO 8583, the same again debits once", buy),
    Step("C2", "透支被拒绝", "An overdraft is refused", overdraw),
    Step("C3", "外币与境外受理被拒绝", "A foreign currency and acceptor are refused", go_abroad),
    Step("S10", "应答丢失：冲正，重复与先到的冲正", "An answer lost: reversal, repeated and early", reverse),
]
CLOSE = Step("S8", "封账、对账、轧差，账平", "The day sealed, reconciled, netted, flat", close_day)
