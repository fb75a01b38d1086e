"""Every message × what bars it before an account is asked, over TCP (S4, K8): block list, PSAMs, test cards, locks,
limits, PIN, cryptogram, sign-on, clock. `test_verbs_table.py` has the refusals of content and accounts; together they
are the table of docs/systems/transactions.md, which is compared here.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from tests.support.payments import CITY, HOSPITAL, ZONE, SwitchProcess
from tests.systems.transactions.test_verbs_table import ALL, ASKING, MONEY, REFUSES, SINGLE, Desk, Fields

from sheka.foundation.iso8583.chip_data import CRYPTOGRAM, KEY_VERSION, PSAM_SEQUENCE, pack
from sheka.foundation.refusals import Code
from sheka.systems.transactions.acquiring_models import TestCard
from sheka.systems.transactions.actions.bind_psam import bind_psam
from sheka.systems.transactions.actions.blocks import block
from sheka.systems.transactions.models import Terminal as TerminalRow
from sheka.systems.transactions.models import Transaction
from sheka.systems.transactions.response_codes import RESPONSE_CODES, response_code
from sheka.systems.transactions.switch.verbs import SERVED, Verb
from sheka.systems.transactions.terminal import Terminal

pytestmark = pytest.mark.req("S4")
committing = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).parents[3]
FIRST, SECOND, THIRD = (f"46010000000{number}" for number in (1, 2, 3))
PSAM, OTHER_PSAM = "4" * 20, "5" * 20
PAYING = frozenset({Verb.PURCHASE, Verb.PRE_AUTHORISATION})
SIGNED = PAYING | {Verb.ADVICE}
OF_THE_CARD = ASKING - {Verb.VOID, Verb.REFUND}
NETWORK = frozenset({Verb.NETWORK})
#: Code → the verbs that it refuses.
BARS: dict[Code, frozenset[Verb]] = {
    Code.CARD_ON_BLOCK_LIST: OF_THE_CARD,
    Code.CARD_RANGE_ON_BLOCK_LIST: OF_THE_CARD,
    Code.KEY_VERSION_ON_BLOCK_LIST: OF_THE_CARD,
    Code.TEST_CARD_ELSEWHERE: ASKING,
    Code.PSAM_OF_ANOTHER_TERMINAL: ASKING,
    Code.PSAM_ON_BLOCK_LIST: ASKING,
    Code.PSAM_NOT_IN_SERVICE: ASKING,
    Code.PIN_BLOCK_INVALID: PAYING | {Verb.BALANCE},
    Code.CRYPTOGRAM_KEY_UNKNOWN: SIGNED,
    Code.CRYPTOGRAM_WRONG: SIGNED,
    Code.LIMIT_AT_ONCE: PAYING,
    Code.NETWORK_CODE_UNKNOWN: NETWORK,
    **dict.fromkeys((Code.TERMINAL_ON_BLOCK_LIST, Code.TERMINAL_LOCKED), ALL - {Verb.REVERSAL}),
    Code.BLOCK_LIST_NOT_KNOWN: ASKING,
    Code.LINE_NOT_SIGNED_ON: ALL - NETWORK,
    Code.CLOCK_SKEW: ASKING | NETWORK,
}
#: What needs a world of its own, or more than one message; the tests that name each code provoke it.
APART: dict[Code, frozenset[Verb]] = {
    Code.TERMINAL_OF_OTHER_LINE: ALL,
    Code.PSAM_MISSING: ASKING,
    Code.MACHINE_OUT_OF_PRODUCTION: ASKING,
    Code.TEST_TERMINAL_OTHER_CARD: ASKING,
    Code.MESSAGE_REPLAYED: NETWORK,
    Code.TRANSPORT_KEY_MISSING: NETWORK,
    **dict.fromkeys((Code.PIN_WRONG, Code.PIN_BLOCKED, Code.PIN_NOT_SET), PAYING | {Verb.BALANCE}),
    Code.PIN_MISSING: PAYING,
    Code.CRYPTOGRAM_MISSING: SIGNED,
    Code.OFFLINE_NUMBER_USED: SIGNED,
    Code.PROOF_NOT_KNOWN: SIGNED | {Verb.BALANCE} | NETWORK,
    **dict.fromkeys((Code.LIMIT_OF_THE_DAY, Code.LIMIT_OF_NUMBER, Code.LIMIT_OF_A_MINUTE), PAYING),
    Code.SWITCH_BUSY: ALL,
    Code.SWITCH_OUTCOME_UNKNOWN: MONEY | {Verb.REVERSAL},
    **dict.fromkeys((Code.MESSAGE_TOO_SHORT, Code.MESSAGE_TYPE_INVALID), ALL),
    Code.TRANSACTION_REVERSED_BEFORE: MONEY,
    **dict.fromkeys((Code.ORIGINAL_UNKNOWN, Code.REPLACEMENT_INVALID), frozenset({Verb.REVERSAL})),
    **dict.fromkeys(
        (Code.ORIGINAL_NOT_APPROVED, Code.ORIGINAL_OF_ANOTHER_KIND, Code.ORIGINAL_OF_ANOTHER_ACCOUNT),
        frozenset({Verb.COMPLETION, Verb.VOID, Verb.REFUND}),
    ),
    Code.PRE_AUTHORISATION_COMPLETED: frozenset({Verb.COMPLETION, Verb.VOID, Verb.REVERSAL}),
    Code.PRE_AUTHORISATION_RELEASED: frozenset({Verb.COMPLETION, Verb.VOID}),
    Code.COMPLETION_ABOVE_HELD: frozenset({Verb.COMPLETION}),
    Code.ORIGINAL_FOLLOWED: frozenset({Verb.VOID, Verb.REFUND, Verb.REVERSAL}),
    Code.REFUND_ABOVE_ORIGINAL: frozenset({Verb.REFUND}),
    Code.VOID_TOO_LATE: frozenset({Verb.VOID}),
    Code.REVERSAL_AMOUNT: frozenset({Verb.VOID, Verb.REVERSAL}),
    Code.BATCH_OUT_OF_BALANCE: frozenset({Verb.SETTLEMENT}),
    Code.BATCH_LINE_DIFFERS: frozenset({Verb.UPLOAD}),
}
#: A bar asks nothing of the processing code of what is reversed or uploaded: one message of each type.
MESSAGES = [
    key
    for key in SERVED
    if SERVED[key][0] not in (Verb.REVERSAL, Verb.UPLOAD, Verb.SETTLEMENT) or key[1] in ("00", "92")
]
Change = Callable[[Fields], Fields]
_TAC = [(CRYPTOGRAM, bytes(4)), (PSAM_SEQUENCE, bytes(4)), (KEY_VERSION, b"DTK/7")]
CHANGES: dict[Code, Change] = {
    Code.KEY_VERSION_ON_BLOCK_LIST: lambda fields: fields | {55: pack([(KEY_VERSION, b"DTK/9")])},
    Code.PSAM_OF_ANOTHER_TERMINAL: lambda fields: fields | {57: PSAM},
    Code.PSAM_ON_BLOCK_LIST: lambda fields: fields | {57: OTHER_PSAM},
    Code.PIN_BLOCK_INVALID: lambda fields: fields | {59: bytes(16)},
    Code.CRYPTOGRAM_KEY_UNKNOWN: lambda fields: fields | {55: pack(_TAC)},
    Code.CRYPTOGRAM_WRONG: lambda fields: fields | {55: pack([(CRYPTOGRAM, bytes(8))])},
    Code.LIMIT_AT_ONCE: lambda fields: fields | {4: "000010000001"} if 4 in fields else fields,
    Code.NETWORK_CODE_UNKNOWN: lambda fields: fields | {70: "999"} if 70 in fields else fields,
    Code.CLOCK_SKEW: lambda fields: fields | {7: f"{datetime.now(ZONE) - timedelta(hours=2):%m%d%H%M%S}"},
}


def _bar(code: Code, bank) -> tuple[str, int]:
    """Make the world in which a code refuses; the terminal and the place of the card that it is about."""
    blocked = {
        Code.CARD_ON_BLOCK_LIST: ("card", bank.cards[1].number, SECOND, 1),
        Code.CARD_RANGE_ON_BLOCK_LIST: ("card_range", f"{bank.cards[2].number}-{bank.cards[2].number}", SECOND, 2),
        Code.KEY_VERSION_ON_BLOCK_LIST: ("key_version", "DTK/9", SECOND, 0),
        Code.PSAM_ON_BLOCK_LIST: ("psam", OTHER_PSAM, SECOND, 0),
        Code.TERMINAL_ON_BLOCK_LIST: ("terminal", FIRST, FIRST, 0),
    }.get(code)
    if blocked is not None:
        kind, subject, terminal, card = blocked
        block(bank.actor, kind=kind, subject=subject, reason="table")
        return terminal, card
    if code is Code.TEST_CARD_ELSEWHERE:
        TestCard.objects.create(organisation_id=CITY, card_number=bank.cards[3].number, by="test", at=timezone.now())
        return SECOND, 3
    if code is Code.PSAM_NOT_IN_SERVICE:
        bind_psam(bank.actor, terminal=THIRD, psam=PSAM)
        return THIRD, 0
    if code is Code.TERMINAL_LOCKED:
        TerminalRow.objects.filter(number=SECOND).update(state="locked")
        return SECOND, 0
    return FIRST, 0


@contextmanager
def _desk(process, bank, number: str, card: int, first_stan: int) -> Iterator[Desk]:
    """A desk that sends nothing beforehand: a bar comes before what it is about."""
    with Terminal(process.host, process.port, number, HOSPITAL, bank.mac, first_stan=first_stan) as terminal:
        desk = Desk(terminal, bank.cards[card].number)
        desk.books = False
        yield desk


def _check(code: Code, desk: Desk) -> None:
    change = CHANGES.get(code, lambda fields: fields)
    for key in MESSAGES:
        answer = desk.say(key[0], change(desk.message(*key)))
        number = int(answer.get(63, 0))
        expected = SERVED[key][0] in BARS[code]
        if code is Code.CLOCK_SKEW:
            expected = expected and key[0][2:] == "00"  # no repeat, no advice
        assert answer[39] == response_code(number), (code, key)
        assert (number == code.value) == expected, f"{key} {SERVED[key][2]}: {answer[39]}/{number}, not {code}"


def _wait_for(code: Code, desk: Desk) -> None:
    """The news of a bar is on its way for a moment."""
    asked = ("0200", "31") if Verb.BALANCE in BARS[code] else ("0200", "00")
    deadline = time.monotonic() + 5
    while True:
        fields = CHANGES.get(code, lambda fields: fields)(desk.message(*asked))
        if int(desk.say(asked[0], fields).get(63, 0)) == code.value:
            return
        assert time.monotonic() < deadline, f"{code} never came"
        time.sleep(0.02)


@committing
def test_a_bar_meets_every_message_that_it_is_for_and_no_other(switch, bank) -> None:
    bank.pay_in(100_000_000, bank.accounts[0])
    worlds = [
        code for code in BARS if code not in (Code.BLOCK_LIST_NOT_KNOWN, Code.LINE_NOT_SIGNED_ON, Code.CLOCK_SKEW)
    ]
    for place, code in enumerate(worlds):
        with _desk(switch, bank, *_bar(code, bank), first_stan=1000 * (place + 1)) as desk:
            if code is not Code.NETWORK_CODE_UNKNOWN and code not in (Code.CRYPTOGRAM_WRONG, Code.LIMIT_AT_ONCE):
                _wait_for(code, desk)
            _check(code, desk)
    assert not Transaction.objects.filter(refusal=0, terminal__number=SECOND, card_number=bank.cards[1].number).exists()
    bank.assert_ledger_holds()


@committing
def test_a_switch_that_cannot_know_the_block_list_takes_money_back_and_nothing_else(bank) -> None:
    process = SwitchProcess(None, "--limit", "known_for=0")
    try:
        with _desk(process, bank, FIRST, 0, 1) as desk:
            _check(Code.BLOCK_LIST_NOT_KNOWN, desk)
    finally:
        print(process.stop())
    assert not Transaction.objects.filter(refusal=0, kind__in=[1, 3, 4, 5, 6]).exists()


@committing
def test_who_has_not_signed_on_or_whose_clock_is_wrong(line_policy, bank) -> None:
    line_policy(('when = "production"', 'when = "always"'))
    process = SwitchProcess()
    try:
        with _desk(process, bank, FIRST, 0, 1) as desk:
            _check(Code.LINE_NOT_SIGNED_ON, desk)
            assert desk.terminal.sign_on().approved
            _check(Code.CLOCK_SKEW, desk)
    finally:
        print(process.stop())
    bank.assert_ledger_holds()


# the table in the documentation

WORDS = {
    Verb.PURCHASE: "purchase",
    Verb.ADVICE: "purchase advice",
    Verb.BALANCE: "inquiry",
    Verb.PRE_AUTHORISATION: "pre-authorisation",
    Verb.COMPLETION: "completion",
    Verb.VOID: "void",
    Verb.REFUND: "refund",
    Verb.REVERSAL: "reversal",
    Verb.UPLOAD: "upload",
    Verb.SETTLEMENT: "settlement",
    Verb.NETWORK: "network",
}


def table() -> list[str]:
    """A row for each set of messages: their names, the refusals that they and no others meet."""
    groups: dict[frozenset[Verb], list[int]] = {}
    for code, verbs in (REFUSES | BARS | APART).items():
        groups.setdefault(verbs, []).append(code.value)
    rows = []
    for verbs, numbers in sorted(groups.items(), key=lambda group: (-len(group[0]), min(group[1]))):
        names = "every message" if verbs == ALL else ", ".join(WORDS[verb] for verb in WORDS if verb in verbs)
        rows.append(f"| {names} | {', '.join(map(str, sorted(numbers)))} |")
    return rows


def test_every_refusal_says_which_messages_it_meets_and_the_documentation_with_it() -> None:
    assert set(REFUSES) | set(BARS) | set(APART) == set(RESPONSE_CODES), "a new refusal needs its line here"
    assert set(REFUSES) & set(APART) == set(BARS) & set(APART) == set()
    assert set(SINGLE) <= set(APART) | set(BARS) | set(REFUSES)
    page = (ROOT / "docs" / "systems" / "transactions.md").read_text("utf-8")
    found = re.search(r"### Which message meets which refusal\n(.*?)\n## ", page, re.S)
    assert found is not None
    assert [line for line in found[1].splitlines() if line.startswith("| ")][1:] == table(), "\n".join(table())
