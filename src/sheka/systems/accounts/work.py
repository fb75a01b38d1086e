"""What the search of the console finds of accounts."""

from __future__ import annotations

from sheka.foundation.terms import Term
from sheka.office.staff.permissions import Permission
from sheka.office.work.search import finder
from sheka.systems.accounts.queries_of_pages import find_accounts

finder("accounts", Term("账户", "Accounts"), find_accounts, needs=(Permission.ACCOUNT_VIEW,))
