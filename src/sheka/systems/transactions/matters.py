"""What the transactions put before deciders: that an archived day leaves the database (S4)."""

from __future__ import annotations

from typing import Any

from sheka.foundation.terms import Term
from sheka.office.approvals.matters import Field, Matter, register
from sheka.office.staff.permissions import Permission
from sheka.systems.transactions.actions.archive_day import DETACH, check_payload, detach_day


def _summary(payload: dict[str, Any]) -> Term:
    return Term(f"{payload['day']}，{payload['rows']:,} 笔", f"{payload['day']}, {payload['rows']:,} transactions")


def _yuan(fen: int) -> str:
    return f"{fen // 100:,}.{fen % 100:02d}"


register(
    Matter(
        kind=DETACH,
        title=Term("分离已归档交易日", "Detaching of an archived day"),
        proposes=Permission.ARCHIVE_WRITE,
        views=Permission.TRANSACTION_VIEW,
        summary=_summary,
        check=check_payload,
        carry_out=detach_day,
        fields=(
            Field("day", Term("业务日", "Business day")),
            Field("rows", Term("笔数", "Transactions"), show=lambda value: f"{value:,}"),
            Field("amount", Term("金额合计（元）", "Sum of amounts (yuan)"), show=_yuan),
            Field("bytes", Term("归档文件大小（字节）", "Size of the files (bytes)"), show=lambda value: f"{value:,}"),
            Field("content", Term("内容摘要（SM3）", "Digest of the rows (SM3)"), code=True),
            Field("digest", Term("清单摘要（SM3）", "Digest of the manifest (SM3)"), code=True),
        ),
    )
)
