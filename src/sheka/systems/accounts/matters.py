"""What accounts put before a second person (S6): corrections, interest, moving, closing, inheritance."""

from __future__ import annotations

from typing import Any

from sheka.foundation.money import format_yuan
from sheka.foundation.terms import Term
from sheka.office.approvals.matters import Field, Matter, register
from sheka.office.approvals.seats import place_term
from sheka.office.documents.kinds import kinds
from sheka.office.staff.permissions import Permission
from sheka.systems.accounts import ending
from sheka.systems.accounts.actions.book_interest import approved
from sheka.systems.accounts.actions.correct_posting import CORRECT, corrected
from sheka.systems.accounts.actions.pay_late_money import LATE
from sheka.systems.accounts.actions.propose_ending import CLOSE, INHERIT, MOVE
from sheka.systems.accounts.actions.reckon_interest import INTEREST, terms_told
from sheka.systems.accounts.labels import KINDS
from sheka.systems.accounts.payees import heirs_told, masked_account


def money(fen: int) -> Term:
    """An amount in both languages."""
    return Term(format_yuan(fen, "zh-Hans"), format_yuan(fen, "en"))


def _summed(path: str) -> Any:
    def summary(payload: dict[str, Any]) -> Term:
        told = money(payload[path])
        return Term(f"{payload['account']}，{told.zh}", f"{payload['account']}, {told.en}")

    return summary


def _rule(rule: str) -> Term:
    return Term("均等", "equal parts") if rule == "equal" else Term("按约定或判决", "as agreed or decided")


def _papers(papers: list[dict[str, str]]) -> Term:
    told = [(kinds()[one["kind"]], one["digest"][:12]) for one in papers]
    zh = "、".join(f"{kind.zh}（{digest}…）" for kind, digest in told)
    return Term(zh, ", ".join(f"{kind.en} ({digest}…)" for kind, digest in told))


ACCOUNT = Field("account", Term("账户", "Account"), code=True)
BALANCE = Field("balance", Term("申请时余额", "Balance when asked"), show=money)
DOCUMENT = Field("document", Term("文书编号", "Number of the document"), code=True)
REASON = Field("reason", Term("理由", "Reason"), long=True)
PAYEE = (
    Field("payee.name", Term("收款人", "Payee")),
    Field("payee.bank", Term("开户银行", "Bank")),
    Field("payee.bank_account", Term("银行账号", "Bank account"), show=masked_account, code=True),
)

register(
    Matter(
        kind=CORRECT,
        title=Term("更正账目", "Correction of a posting"),
        proposes=Permission.ACCOUNT_CORRECT,
        views=Permission.ACCOUNT_VIEW,
        summary=_summed("amount"),
        carry_out=corrected,
        fields=(
            ACCOUNT,
            Field("posting", Term("原记账号", "Original posting"), code=True),
            Field("kind", Term("原业务", "What it was"), show=lambda kind: KINDS[kind]),
            Field("original", Term("原金额", "Original amount"), show=money),
            Field("amount", Term("更正金额", "Amount to take back"), show=money),
            Field("from", Term("自", "From"), code=True),
            Field("to", Term("至", "To"), code=True),
            DOCUMENT,
            REASON,
        ),
    )
)
register(
    Matter(
        kind=INTEREST,
        title=Term("个人账户计息", "Interest on personal accounts"),
        proposes=Permission.ACCOUNT_INTEREST,
        views=Permission.ACCOUNT_VIEW,
        summary=lambda payload: Term(
            f"{payload['year']}年，{payload['accounts']:,} 户，{money(payload['total']).zh}",
            f"{payload['year']}: {payload['accounts']:,} accounts, {money(payload['total']).en}",
        ),
        carry_out=approved,
        fields=(
            Field("run", Term("批次", "Run"), code=True),
            Field("year", Term("年度", "Year")),
            Field("scheme", Term("险种", "Scheme"), code=True),
            Field("terms", Term("利率与天数", "Rates and days"), show=terms_told, long=True),
            Field("accounts", Term("户数", "Accounts"), show=lambda count: f"{count:,}"),
            Field("total", Term("利息合计", "Interest in all"), show=money),
            Field("fund", Term("列支基金账户", "Fund that pays"), code=True),
            Field("digest", Term("明细摘要（SM3）", "Digest of the lines (SM3)"), code=True),
        ),
    )
)
register(
    Matter(
        kind=MOVE,
        title=Term("账户转移", "Transfer of an account on moving"),
        proposes=Permission.ACCOUNT_MOVE,
        views=Permission.ACCOUNT_VIEW,
        summary=_summed("balance"),
        carry_out=ending.moved,
        fields=(
            ACCOUNT,
            BALANCE,
            Field("to", Term("转入城市", "City of the new home"), show=place_term),
            Field("area", Term("转往外地", "Area outside")),
            *PAYEE,
            DOCUMENT,
            REASON,
        ),
    )
)
register(
    Matter(
        kind=CLOSE,
        title=Term("销户支取", "Closing of an account with a payment out"),
        proposes=Permission.ACCOUNT_MOVE,
        views=Permission.ACCOUNT_VIEW,
        summary=_summed("balance"),
        carry_out=ending.closed,
        fields=(ACCOUNT, BALANCE, *PAYEE, DOCUMENT, REASON),
    )
)
register(
    Matter(
        kind=INHERIT,
        title=Term("账户余额继承", "Inheritance of an account"),
        proposes=Permission.ACCOUNT_INHERIT,
        views=Permission.ACCOUNT_VIEW,
        summary=_summed("balance"),
        carry_out=ending.inherited,
        fields=(
            ACCOUNT,
            BALANCE,
            Field("heirs", Term("继承人与份额", "Heirs and shares"), show=heirs_told, long=True),
            Field("rule", Term("份额规则", "Rule of the shares"), show=_rule),
            Field("papers", Term("留存材料", "Documents kept"), show=_papers),
            DOCUMENT,
            REASON,
        ),
    )
)
register(
    Matter(
        kind=LATE,
        title=Term("支付销户后到账款", "Payment of money that came after an account's end"),
        proposes=Permission.ACCOUNT_MOVE,
        views=Permission.ACCOUNT_VIEW,
        summary=_summed("amount"),
        carry_out=ending.late_paid,
        fields=(
            ACCOUNT,
            Field("amount", Term("金额", "Amount"), show=money),
            Field("cause", Term("来源记账号", "Posting that brought it"), code=True),
            Field("payees", Term("收款人与份额", "Payees and shares"), show=heirs_told, long=True),
            DOCUMENT,
            REASON,
        ),
    )
)
