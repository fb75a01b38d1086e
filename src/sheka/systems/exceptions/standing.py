"""How an item stands in our own books: what a rule asks, what an adjustment moves, what a page shows (S10)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.staff.actors import Actor
from sheka.systems.accounts.actions.open_account import open_party_account
from sheka.systems.accounts.models import Account, Kind
from sheka.systems.accounts.queries import accounts_of
from sheka.systems.exceptions.labels import ACCOUNT_ROLES
from sheka.systems.exceptions.models import ExceptionCase
from sheka.systems.transactions.queries_of_abnormal import account_of_card, institution_in_books, rows_of_key

REVERSAL = 2
SUSPENSE = "exceptions"
"""The purpose of an organisation's suspense account that adjustments go through."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What our books have under the key of a case: the request, and what reversed it. None: nothing."""

    request: Any
    reversal: Any

    @property
    def booked(self) -> bool:
        """Money was moved and was not given back."""
        return self.request is not None and _moved(self.request) and self.reversal is None

    def facts(self) -> dict[str, Any]:
        """The same as plain values, for the log of the rules."""
        return {"request": row_facts(self.request), "reversal": row_facts(self.reversal)}


def standing_of(case: ExceptionCase) -> Standing:
    """Ask our own ledger by the business key."""
    if case.business_date is None or case.stan is None:
        return Standing(None, None)
    rows = rows_of_key(case.institution, case.terminal, case.business_date, case.stan)
    request = next((row for row in rows if row.kind != REVERSAL), None)
    reversal = next((row for row in rows if row.kind == REVERSAL and row.refusal == 0), None)
    return Standing(request, reversal)


def reconciled_flat(organisation_code: str, institution: str, day: str) -> dict[str, Any] | None:
    """Whether a clearing day was found flat with this institution's file. Clearing lies above this system, so its
    tables are asked and not its code.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT d.state, d.reconciled_at FROM clearing_day d JOIN clearing_acquirerfile f ON f.day_id = d.id"
            " WHERE d.organisation_id = %s AND d.settlement_date = %s::date AND f.acquirer = %s"
            " AND d.differences = 0 AND d.state <> 'sealed'",
            [organisation_code, day, institution],
        )
        row = cursor.fetchone()
    return None if row is None else {"day": day, "state": row[0], "reconciled_at": row[1].isoformat()}


def row_facts(row: Any) -> dict[str, Any] | None:
    """A stored request as plain values: what a case keeps of it; amounts in fen."""
    if row is None:
        return None
    return {
        "transaction": row.id,
        "kind": row.kind,
        "amount": row.amount,
        "refusal": row.refusal,
        "card": row.card_number,
        "rrn": row.rrn,
        "settlement_date": row.window.settlement_date.isoformat(),
        "booked_at": row.booked_at.isoformat(),
    }


def accounts_of_case(case: ExceptionCase) -> dict[str, Account]:
    """The accounts that an adjustment of this case may move, by their role: personal, institution, suspense.

    A role for which nothing is known is missing.
    """
    found: dict[str, Account | None] = {}
    request = standing_of(case).request
    if request is not None and request.account_id is not None:
        found["personal"] = request.account
    else:
        card = str((case.theirs or {}).get("card") or case.facts.get("card") or "")
        found["personal"] = account_of_card(card) if card else None
    institution = institution_in_books(case.organisation_id, case.institution)
    found["institution"] = institution.account if institution is not None else None
    keeper = Actor.process("exceptions", case.organisation_id)
    found["suspense"] = accounts_of(keeper).filter(kind="suspense", party=SUSPENSE).first()
    return {role: account for role, account in found.items() if account is not None}


def account_in_role(case: ExceptionCase, role: str) -> Account:
    """The account; the organisation's suspense account is opened when it is first needed.

    Raises Refused(EXCEPTION_ACCOUNT) where the case has no account of this role.
    """
    found = accounts_of_case(case).get(role)
    if found is None and role == "suspense":
        keeper = Actor.process("exceptions", case.organisation_id)
        found = open_party_account(keeper, kind=Kind.SUSPENSE, party=SUSPENSE)
    if found is None:
        raise Refused(Code.EXCEPTION_ACCOUNT, role=ACCOUNT_ROLES.get(role, Term(role, role)), case=case.number)
    return found


def _moved(row: Any) -> bool:
    return row.refusal == 0 and row.account_id is not None
