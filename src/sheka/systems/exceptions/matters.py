"""What the exceptions desk puts before approvers: adjustments, and the decisions of disputes (S10)."""

from __future__ import annotations

from typing import Any

from sheka.foundation.money import format_yuan
from sheka.foundation.terms import Term
from sheka.office.approvals.matters import Field, Matter, register
from sheka.office.staff.permissions import Permission
from sheka.systems.exceptions.actions.adjust_case import ADJUST, DECIDE, adjusted, check_booking, decided
from sheka.systems.exceptions.labels import ACCOUNT_ROLES, COMPLAINTS, OUTCOMES


def _yuan(fen: int) -> Term:
    return Term(format_yuan(fen, "zh"), format_yuan(fen, "en"))


def _role(name: str) -> Term:
    return ACCOUNT_ROLES.get(name, Term(name, name))


def _adjustment(payload: dict[str, Any]) -> Term:
    amount, debit, credit = _yuan(payload["amount"]), *(_role(payload[side]["role"]) for side in ("debit", "credit"))
    return Term(
        f"{payload['case']}：{debit.zh} → {credit.zh} {amount.zh}",
        f"{payload['case']}: {debit.en} → {credit.en} {amount.en}",
    )


def _decision(payload: dict[str, Any]) -> Term:
    outcome = OUTCOMES[payload["outcome"]]
    return Term(f"{payload['case']}：{outcome.zh}", f"{payload['case']}: {outcome.en}")


_BOOKING = (
    Field("debit.role", Term("借方", "From"), show=_role),
    Field("debit.account", Term("借方账户", "Account debited"), code=True),
    Field("credit.role", Term("贷方", "To"), show=_role),
    Field("credit.account", Term("贷方账户", "Account credited"), code=True),
    Field("amount", Term("金额", "Amount"), show=_yuan),
    Field("client_id", Term("入账编号", "Id of the booking"), code=True),
)

register(
    Matter(
        kind=ADJUST,
        title=Term("异常交易调账", "Adjustment of an exception"),
        proposes=Permission.EXCEPTION_HANDLE,
        views=Permission.EXCEPTION_VIEW,
        check=check_booking,
        summary=_adjustment,
        fields=(
            Field("case", Term("差错编号", "Case"), code=True),
            *_BOOKING,
            Field("reason", Term("理由", "Reason"), long=True, edit=True),
        ),
        carry_out=adjusted,
    )
)
register(
    Matter(
        kind=DECIDE,
        title=Term("争议裁定", "Decision of a dispute"),
        proposes=Permission.EXCEPTION_HANDLE,
        views=Permission.EXCEPTION_VIEW,
        check=check_booking,
        summary=_decision,
        fields=(
            Field("case", Term("差错编号", "Case"), code=True),
            Field("complaint", Term("争议事由", "Complaint"), show=lambda value: COMPLAINTS[value]),
            Field("claimed", Term("主张金额", "Claimed"), show=_yuan),
            Field("outcome", Term("拟裁定", "Provisional decision"), show=lambda value: OUTCOMES[value]),
            *_BOOKING,
            Field("reason", Term("理由", "Reason"), long=True, edit=True),
        ),
        carry_out=decided,
    )
)
