"""What issuance puts before deciders: an application to issue, examined by the province, reviewed by the ministry."""

from __future__ import annotations

from typing import Any

from sheka.foundation.terms import Term
from sheka.office.approvals.matters import Field, Matter, register
from sheka.office.approvals.seats import place_term
from sheka.office.staff.permissions import Permission
from sheka.systems.issuance.actions.assign_number import assign_number
from sheka.systems.issuance.actions.note_outcome import note_outcome
from sheka.systems.issuance.materials import APPLY, MATERIALS, must_be_complete


def _summary(payload: dict[str, Any]) -> Term:
    place, count = place_term(payload["applicant"]), f"{payload['quantity']:,}"
    return Term(f"{place.zh}，{count} 张", f"{place.en}, {count} cards")


register(
    Matter(
        kind=APPLY,
        title=Term("社会保障卡发行申请", "Application to issue social security cards"),
        proposes=Permission.ISSUANCE_APPLY,
        views=Permission.ISSUANCE_VIEW,
        summary=_summary,
        fields=(
            Field("applicant", Term("申请机构", "Applicant"), show=place_term),
            Field("scope", Term("发行范围", "Issuing scope"), long=True, edit=True),
            Field("quantity", Term("数量", "Number of cards"), show=lambda value: f"{value:,}", edit=True),
            Field("layout_digest", Term("卡面与文件结构摘要（SM3）", "Digest of surface and files (SM3)"), code=True),
            *(Field(f"materials.{name}", title, long=True, edit=True) for name, title in MATERIALS.items()),
        ),
        check=must_be_complete,
        carry_out=assign_number,
        note=note_outcome,
    )
)
