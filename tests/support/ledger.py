"""The ledger's rules once more, in Python and in memory: what the functions of the database are compared with."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sheka.foundation.refusals import Code
from sheka.systems.accounts.models import OF_THE_SWITCH, Account, EntryKind, Verb
from sheka.systems.accounts.posting import Item

NOWHERE = 10**15
"""The number of nothing that was ever held."""


@dataclass
class Purse:
    """An account: `balance` fen, of which `held` are reserved."""

    balance: int = 0
    held: int = 0
    guarded: bool = True
    state: str = "open"
    limit: int | None = None


@dataclass
class Hold:
    """Held money; `end` is the refusal that a second end meets."""

    account: int
    counter: int | None
    amount: int
    expires_at: datetime | None
    end: Code | None = None


@dataclass
class Model:
    """Every account by its key, every number with its content and its answer, everything held by its client number."""

    purses: dict[int, Purse]
    known: dict[UUID, tuple[dict[str, object], int]] = field(default_factory=dict)
    holds: dict[UUID, Hold] = field(default_factory=dict)
    numbers: dict[int, UUID] = field(default_factory=dict)

    def post(self, batch: list[Item], now: datetime) -> list[tuple[int, str | None]]:
        """(refusal, field that differs) for each item, in order."""
        answers: list[tuple[int, str | None]] = []
        first = 0
        while first < len(batch):
            last = first
            while last < len(batch) - 1 and batch[last].linked:
                last += 1
            chain = batch[first : last + 1]
            if chain[-1].linked or len(chain) > 1:
                answers += self._chain(chain, now)
            else:
                answers.append(self._one(chain[0], None, now)[:2])
            first = last + 1
        return answers

    def expire(self, now: datetime) -> int:
        """Release what is past its time; how much of it."""
        due = [hold for hold in self.holds.values() if hold.end is None and hold.expires_at and hold.expires_at <= now]
        for hold in due:
            self._release(hold, Code.PENDING_EXPIRED)
        return len(due)

    def _chain(self, chain: list[Item], now: datetime) -> list[tuple[int, str | None]]:
        mark = (chain[0].client_id, len(chain))
        known = len({item.client_id for item in chain if item.client_id in self.known})
        if known == len(chain):
            return [self._one(item, mark, now)[:2] for item in chain]
        failed, code = None, 0
        if known == 0 and not chain[-1].linked:
            before = self._copy()
            for place, item in enumerate(chain):
                refusal, _differs, fresh = self._one(item, mark, now)
                if refusal or not fresh:
                    failed, code = place, refusal if fresh else Code.TRANSFER_DIFFERS.value
                    break
            if failed is None:
                return [(0, None)] * len(chain)
            self.purses, self.known, self.holds, self.numbers = before
        elif chain[-1].linked:
            failed, code = len(chain) - 1, Code.TRANSFER_CHAIN_OPEN.value
        answers: list[tuple[int, str | None]] = []
        for place, item in enumerate(chain):
            refusal = code if place == failed else Code.TRANSFER_LINKED_FAILED.value
            if item.client_id in self.known or refusal == Code.TRANSFER_DIFFERS.value:
                answers.append((Code.TRANSFER_DIFFERS.value, "linked"))
            else:
                self.known[item.client_id] = (_content(item, mark), refusal)
                answers.append((refusal, None))
        return answers

    def _one(self, item: Item, mark: tuple[UUID, int] | None, now: datetime) -> tuple[int, str | None, bool]:
        content = _content(item, mark)
        if item.client_id in self.known:
            held, refusal = self.known[item.client_id]
            for name, value in content.items():
                if held[name] != value and not (
                    value is None and name in ("debit", "credit") and item.does >= Verb.POST
                ):
                    return Code.TRANSFER_DIFFERS.value, name, False
            return refusal, None, False
        code = self._judge(item, now)
        if item.of is not None and (hold := self._hold(item.of)) is not None:
            content["debit"] = content["debit"] or hold.account
            content["credit"] = content["credit"] or hold.counter
        self.known[item.client_id] = (content, code.value if code else 0)
        if code is None:
            self._do(item)
        return (code.value if code else 0), None, True

    def _judge(self, item: Item, now: datetime) -> Code | None:
        verb, hold = item.does, self._hold(item.of)
        debit, credit = _key(item.debit), _key(item.credit)
        if verb >= Verb.POST:
            if hold is None:
                return Code.PENDING_UNKNOWN
            if item.expires_at is not None:
                return Code.TRANSFER_EXPIRY
            if hold.end is not None:
                return hold.end
            if hold.expires_at is not None and hold.expires_at <= now:
                return Code.PENDING_EXPIRED
            credit = hold.counter or credit
            if (debit or hold.account) != hold.account or (_key(item.credit) or credit) != credit:
                return Code.PENDING_OTHER_ACCOUNTS
            debit = hold.account
            if verb is Verb.POST and credit is None:
                return Code.PENDING_OTHER_ACCOUNTS
            if item.amount not in (0, hold.amount) if verb is Verb.VOID else item.amount > hold.amount:
                return Code.PENDING_EXCEEDED
            if verb is Verb.VOID:
                return Code.TRANSFER_KIND if item.kind in OF_THE_SWITCH else None
        elif item.expires_at is not None and (verb is Verb.BOOK or item.expires_at <= now):
            return Code.TRANSFER_EXPIRY
        return self._move(item, verb, debit, credit, hold)

    def _move(self, item: Item, verb: Verb, debit: int | None, credit: int | None, hold: Hold | None) -> Code | None:
        if item.amount <= 0:
            return Code.TRANSFER_AMOUNT
        if debit == credit:
            return Code.TRANSFER_SAME_ACCOUNT
        if item.kind in OF_THE_SWITCH:
            return Code.TRANSFER_KIND
        payer, taker = self.purses.get(debit or 0), self.purses.get(credit or 0)
        if payer is None or (taker is None and not (verb is Verb.HOLD and credit is None)):
            return Code.ACCOUNT_UNKNOWN
        if payer.state == "closed" if taker is None else (payer.state, taker.state) != ("open", "open"):
            return Code.ACCOUNT_NOT_OPEN
        if verb < Verb.POST and payer.guarded and payer.balance - payer.held < item.amount:
            return Code.ACCOUNT_INSUFFICIENT
        if taker is not None and taker.limit is not None and not (hold and hold.counter):
            coming = sum(one.amount for one in self.holds.values() if one.end is None and one.counter == credit)
            if taker.balance + coming + item.amount > taker.limit:
                return Code.ACCOUNT_LIMIT
        return None

    def _do(self, item: Item) -> None:
        verb, hold = item.does, self._hold(item.of)
        if verb is Verb.HOLD:
            assert item.debit is not None
            self.holds[item.client_id] = Hold(item.debit.pk, _key(item.credit), item.amount, item.expires_at)
            if self.purses[item.debit.pk].guarded:
                self.purses[item.debit.pk].held += item.amount
            return
        debit, credit = _key(item.debit), _key(item.credit)
        if hold is not None:
            self._release(hold, Code.PENDING_POSTED if verb is Verb.POST else Code.PENDING_VOIDED)
            debit, credit = hold.account, hold.counter or credit
        if verb is not Verb.VOID:
            self.purses[debit or 0].balance -= item.amount
            self.purses[credit or 0].balance += item.amount

    def _release(self, hold: Hold, end: Code) -> None:
        hold.end = end
        if self.purses[hold.account].guarded:
            self.purses[hold.account].held -= hold.amount

    def _hold(self, number: int | None) -> Hold | None:
        return self.holds.get(self.numbers[number]) if number in self.numbers else None

    def _copy(self) -> tuple[dict, dict, dict, dict]:
        return (
            {key: Purse(**vars(purse)) for key, purse in self.purses.items()},
            dict(self.known),
            {key: Hold(**vars(hold)) for key, hold in self.holds.items()},
            dict(self.numbers),
        )


def _content(item: Item, mark: tuple[UUID, int] | None) -> dict[str, object]:
    """In the order in which fields are compared."""
    return {
        "verb": item.does,
        "pending": item.of,
        "amount": item.amount,
        "debit": _key(item.debit),
        "credit": _key(item.credit),
        "kind": EntryKind(item.kind),
        "reference": item.reference,
        "expires_at": item.expires_at,
        "linked": mark,
    }


def _key(account: Account | None) -> int | None:
    return None if account is None else account.pk
