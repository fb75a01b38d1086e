"""Words of accounts on pages: terms in the reader's language, choices, the other side of an entry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sheka.faces.console.words import language
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.refusals import sentence as sentence_of
from sheka.foundation.terms import Term
from sheka.systems.accounts.labels import ACCOUNT_KINDS
from sheka.systems.accounts.models import Account
from sheka.systems.accounts.queries_of_pages import Line
from sheka.systems.transactions.queries_of_postings import institutions_of_postings


def said(term: Term) -> str:
    """A term in the reader's language."""
    return term.text(language())


def choices(terms: Mapping[str, Term]) -> object:
    """What a filter offers; read when the page is made, since the language is the reader's."""
    return lambda actor: [(name, said(term)) for name, term in terms.items()]


def refusal_word(number: int) -> str:
    """Why a line was refused, by the refusal's number alone."""
    found = sentence_of(Code(number))
    text = found.zh if language().startswith("zh") else found.en
    return text if "{" not in text else SHORT[number].text(language()) if number in SHORT else str(number)


SHORT: dict[int, Term] = {
    Code.ACCOUNT_UNKNOWN.value: Term("没有该账户。", "There is no such account."),
    Code.ACCOUNT_NOT_OPEN.value: Term("账户已冻结或销户。", "The account is frozen or closed."),
    Code.TRANSFER_AMOUNT.value: Term("金额无效或超过单笔上限。", "The amount is zero, or too high for a line."),
    Code.TRANSFER_DIFFERS.value: Term("该行曾以其他内容入账。", "The line was booked before with other content."),
}


def fault_told(fault: Mapping[str, object]) -> Refused | None:
    """The refusal of a whole file, as it was kept."""
    facts = fault.get("facts")
    return Refused(Code(fault["code"]), **facts) if fault and isinstance(facts, dict) else None


def others(lines: Iterable[Line]) -> dict[int, str]:
    """Posting → the other side in words: kind and party of an account, or the institution of a card transaction."""
    found, cards = {}, []
    for line in lines:
        if line.other is not None:
            found[line.entry.posting_id] = account_word(line.other)
        else:
            cards.append(line.entry)
    found |= institutions_of_postings((entry.posting_id, entry.document_date) for entry in cards)
    return found


def account_word(account: Account) -> str:
    """Kind and number, or party, of an account on the other side."""
    kind = said(ACCOUNT_KINDS[account.kind])
    return f"{kind} {account.party or account.number}"
