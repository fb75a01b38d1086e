"""What the search of the console finds of accounts, and the work that they give."""

from __future__ import annotations

from sheka.foundation.terms import Term
from sheka.office.staff.permissions import Permission
from sheka.office.work.kinds import Address, work_kind
from sheka.office.work.search import finder
from sheka.systems.accounts.actions.keep_late_money import WORK
from sheka.systems.accounts.queries_of_pages import find_accounts

finder("accounts", Term("账户", "Accounts"), find_accounts, needs=(Permission.ACCOUNT_VIEW,))


def _page(subject: str) -> Address:
    return "console:accounts_late", subject.partition(":")[2]


work_kind(WORK, Term("销户后到账", "Money after an account's end"), address=_page, todo=Term("处理", "Deal with it"))
