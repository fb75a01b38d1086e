"""What custody puts before deciders: orders of carriers (K5) and security plans of third parties (K7)."""

from __future__ import annotations

from typing import Any

from sheka.foundation.terms import Term
from sheka.office.approvals.matters import Field, Matter, register
from sheka.office.approvals.seats import place_term
from sheka.office.staff.permissions import Permission
from sheka.systems.custody.actions.entrust_carriers import approve_plan
from sheka.systems.custody.actions.order_carriers import MATTER, approve_order, note_order
from sheka.systems.custody.conditions import PLAN
from sheka.systems.custody.labels import KINDS


def _order(payload: dict[str, Any]) -> Term:
    place, kind, count = place_term(payload["applicant"]), KINDS[payload["kind"]], payload["count"]
    return Term(f"{place.zh}，{kind.zh} {count} 件", f"{place.en}, {count} of {kind.en}")


register(
    Matter(
        kind=MATTER,
        title=Term("密钥载体申领", "Order of key carriers"),
        proposes=Permission.CARRIER_ORDER,
        views=Permission.CARRIER_VIEW,
        summary=_order,
        fields=(
            Field("order", Term("申领单号", "Order"), code=True),
            Field("applicant", Term("申请机构", "Applicant"), show=place_term),
            Field("kind", Term("载体种类", "Kind"), show=lambda value: KINDS[value]),
            Field("count", Term("数量", "Quantity"), show=str),
            Field("purpose", Term("用途", "What they are for"), long=True),
        ),
        carry_out=approve_order,
        note=note_order,
    )
)


def _plan(payload: dict[str, Any]) -> Term:
    party = place_term(payload["party"])
    return Term(f"{party.zh}：{payload['purpose']}", f"{party.en}: {payload['purpose']}")


register(
    Matter(
        kind=PLAN,
        title=Term("第三方安全方案评审", "Review of a third party's security plan"),
        proposes=Permission.CARRIER_ENTRUST,
        views=Permission.CARRIER_VIEW,
        summary=_plan,
        fields=(
            Field("entrustment", Term("第三方交接卷", "Third-party file"), code=True),
            Field("party", Term("第三方", "Third party"), show=place_term),
            Field("purpose", Term("用途", "What for"), long=True),
            Field("plan", Term("安全方案摘要（SM3）", "Digest of the security plan (SM3)"), code=True),
        ),
        carry_out=approve_plan,
    )
)
