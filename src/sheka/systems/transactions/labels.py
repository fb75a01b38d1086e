"""What kinds of transactions and verbs of the switch are called (S4)."""

from __future__ import annotations

from sheka.foundation.terms import Term

KINDS: dict[int, Term] = {
    1: Term("消费", "Purchase"),
    2: Term("冲正", "Reversal"),
    3: Term("预授权", "Pre-authorisation"),
    4: Term("预授权完成", "Completion"),
    5: Term("撤销", "Void"),
    6: Term("退货", "Refund"),
}
VERBS: dict[int, Term] = {
    0: Term("未识别", "Not read"),
    1: Term("消费", "Purchase"),
    2: Term("冲正", "Reversal"),
    3: Term("余额查询", "Balance inquiry"),
    4: Term("网络管理", "Network management"),
    5: Term("消费通知", "Purchase advice"),
    6: Term("预授权", "Pre-authorisation"),
    7: Term("预授权完成", "Completion"),
    8: Term("撤销", "Void"),
    9: Term("退货", "Refund"),
    10: Term("批上送", "Batch upload"),
    11: Term("结算", "Settlement"),
}
"""By the number of the switch's verb, as the meter writes it."""
SCHEMES: dict[str, Term] = {"310": Term("职工基本医疗保险", "Employees' basic medical insurance")}
