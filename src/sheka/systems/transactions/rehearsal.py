"""The script of test transactions, spoken from the institution's side over its own line (S4): what its software must
show before it is taken into service. For partners' tests, the story and ours; plain Python, as `terminal`.
"""

from __future__ import annotations

import time
from dataclasses import replace

from sheka.foundation.refusals import Code, Refused
from sheka.systems.transactions.terminal import Purchase, Terminal, Totals

TOO_MUCH = 99_999_999
"""More than any test card holds, in fen."""


def rehearse(line: Terminal, spoiled: Terminal, card_number: str, amount: int = 100) -> None:
    """Every step of policy/onboarding.toml once. `spoiled` is the same terminal with a wrong MAC key; the terminal has
    booked nothing else in the open settlement day, so that its batch is the one of this script.

    Raises Refused when the switch does not answer what the script expects of a line that works.
    """
    _sign_on(line)
    line.echo()
    line.balance(card_number)
    bought = line.new_purchase(card_number, amount)
    day = line.send_purchase(bought).settlement_day or ""
    line.send_purchase(bought, repeat=True)
    line.purchase(card_number, TOO_MUCH)
    line.purchase(card_number, amount, currency="840")
    line.reversal(bought)
    line.reversal(bought, repeat=True)
    early = line.new_purchase(card_number, amount)
    line.reversal(early)
    line.send_purchase(early)
    _settle(line, bought, day)
    try:
        spoiled.purchase(card_number, amount)
    except Refused:
        spoiled.close()  # the answer's MAC is right, and this key cannot see that


def _settle(line: Terminal, bought: Purchase, day: str) -> None:
    """The batch of a fresh terminal: one purchase, taken back. Once with a sum that is wrong, then its lines, and once
    as it was.
    """
    right = Totals(debits=1, debits_reversed=1, debits_sum=bought.amount, debits_reversed_sum=bought.amount)
    line.settle(day, replace(right, debits_sum=bought.amount + 1))
    line.upload(day, bought, bought.amount)
    line.upload(day, bought, bought.amount, reversal=True)
    line.settle(day, right, after_upload=True)
    line.settle(day, right)


def _sign_on(line: Terminal, patience: float = 10.0) -> None:
    """A terminal that was registered a moment ago is known to every switch within a second: until then 97, unsigned."""
    deadline = time.monotonic() + patience
    while True:
        try:
            line.sign_on()
        except Refused as refusal:
            unknown = str(Code.TERMINAL_UNKNOWN.value) in str(refusal.facts.get("reason", ""))
            if not unknown or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return
