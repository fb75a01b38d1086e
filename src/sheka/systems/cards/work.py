"""The kinds of work that cards give and where each is done, and what the search finds of them."""

from __future__ import annotations

from collections.abc import Sequence

from sheka.foundation.numbers import mask_person_number
from sheka.foundation.terms import Term
from sheka.office.staff.permissions import Permission
from sheka.office.work.kinds import TO_DO, Address, Holder, work_kind
from sheka.office.work.search import finder
from sheka.systems.cards import waiting
from sheka.systems.cards.models import ExchangeCase
from sheka.systems.cards.queries.find import find_cards, find_receipts


def holders_of_exchanges(subjects: Sequence[str]) -> dict[str, Holder]:
    """Whose exchange it is, by the subject of the item."""
    numbers = [subject.partition(":")[2] for subject in subjects]
    cases = ExchangeCase.objects.filter(number__in=numbers).select_related("person")
    return {
        case.subject: Holder(case.person.name, mask_person_number(case.person.social_security_number)) for case in cases
    }


def _exchange(subject: str) -> Address:
    return "console:exchange", subject.partition(":")[2]


def _cards(subject: str) -> Address:
    return ("console:cards",)


work_kind(waiting.MAKE, Term("待制卡", "To be made"), address=_cards)
work_kind(waiting.STOCK, Term("待入库", "To be taken into stock"), address=_cards, tone="info")
for _name, _title, _todo, _tone in (
    (waiting.EXCHANGE_MAKE, Term("换卡待制", "Exchange to be made"), TO_DO, "wait"),
    (waiting.EXCHANGE_STOCK, Term("换卡待入库", "Exchange to be stocked"), TO_DO, "wait"),
    (waiting.EXCHANGE_COLLECT, Term("换卡待领取", "Ready to collect"), Term("办理领取", "Hand over"), "info"),
):
    work_kind(_name, _title, address=_exchange, todo=_todo, tone=_tone, holders=holders_of_exchanges)
work_kind(waiting.OLD_SEND, Term("旧卡待上交", "Old cards to be sent"))
work_kind(waiting.OLD_RECEIVE, Term("旧卡待清点", "Old cards to be counted"))
work_kind(waiting.OLD_DESTROY, Term("旧卡待销毁", "Old cards to be destroyed"))
work_kind(waiting.WITNESS, Term("待见证", "To be witnessed"))
work_kind(waiting.CLOSE, Term("待销毁", "Destruction to be closed"), tone="stop")

finder("cards", Term("卡片与持卡人", "Cards and their holders"), find_cards, needs=(Permission.CARD_VIEW,))
finder("receipts", Term("换卡回执", "Receipts of exchanges"), find_receipts, needs=(Permission.CARD_VIEW,))
