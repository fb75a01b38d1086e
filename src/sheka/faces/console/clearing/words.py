"""How clearing days are written: kinds of transactions as the files tell them, differences, who pays whom (S8)."""

from __future__ import annotations

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from sheka.faces.console.list_cells import Stamp
from sheka.faces.console.templatetags.look import count, seal
from sheka.faces.console.words import WORDS, language
from sheka.foundation.terms import Term
from sheka.systems.clearing.acquirer_file import LETTERS
from sheka.systems.clearing.models import Day
from sheka.systems.transactions.labels import KINDS

TURNED: dict[int, Term] = {
    12: Term("冲正退货或撤销", "Reversal of a refund or void"),
    15: Term("撤销退货", "Void of a refund"),
}
"""What takes again what had been given back."""


def said(term: Term) -> str:
    """A term in the reader's language."""
    return term.text(language())


def kind_word(kind: int) -> str:
    """A kind as in acquirer_file.KINDS."""
    return said(TURNED.get(kind) or KINDS[kind])


def kind_letter(kind: int) -> str:
    """The letter that stands for it in a file."""
    return LETTERS[kind]


def result_stamp(day: Day) -> Stamp:
    """Flat, different, or not reconciled yet."""
    return Stamp(*WORDS[day.result])


def result_cell(day: Day) -> SafeString:
    """The same with the number of differences."""
    word, tone = WORDS[day.result]
    stamp = seal(str(word), tone)
    return SafeString(f"{stamp} {count(day.differences)}") if day.differences else stamp


def who_pays(amount: int) -> str:
    """Which way the money of a position goes."""
    if amount == 0:
        return _("Nothing is to be paid")
    return _("The city pays the institution") if amount > 0 else _("The institution pays the city")


STATES = {state: WORDS[state] for state in ("open", "sealed", "reconciled", "netted")} | {
    "closed": (pgettext_lazy("clearing", "To be sealed"), "wait")
}
"""Of a day, and of the window of one that is not sealed yet."""
FILE_STATES = {
    "lacking": (pgettext_lazy("clearing", "File is missing"), "stop"),
    "none": (pgettext_lazy("clearing", "None needed"), "still"),
    "agrees": (pgettext_lazy("clearing", "Agrees"), "good"),
    "differs": (pgettext_lazy("clearing", "Differs"), "stop"),
    "here": (pgettext_lazy("clearing", "File is here"), "info"),
}
