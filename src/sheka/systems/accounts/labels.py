"""What kinds of accounts and of entries are called."""

from __future__ import annotations

from sheka.foundation.terms import Term

ACCOUNT_KINDS: dict[str, Term] = {
    "personal": Term("个人账户", "Personal"),
    "institution": Term("机构账户", "Institution"),
    "fund": Term("基金账户", "Fund"),
    "suspense": Term("暂挂账户", "Suspense"),
    "bank": Term("银行账户", "Bank"),
    "fee": Term("手续费账户", "Fees"),
    "transit": Term("在途账户", "Transit"),
    "former": Term("已转出账户", "Moved away"),
}
ACCOUNT_STATES: dict[str, Term] = {
    "open": Term("正常", "open"),
    "frozen": Term("已冻结", "frozen"),
    "closed": Term("已销户", "closed"),
}
STATE_TONES = {"open": "good", "frozen": "stop", "closed": "still"}

KINDS: dict[int, Term] = {
    1: Term("消费", "Purchase"),
    2: Term("冲正", "Reversal"),
    3: Term("入账", "Deposit"),
    4: Term("更正", "Correction"),
    5: Term("预授权完成", "Completion"),
    6: Term("退货", "Refund"),
    7: Term("撤销", "Void"),
    8: Term("利息", "Interest"),
    9: Term("转移", "Moving"),
    10: Term("继承", "Inheritance"),
    11: Term("销户支取", "Closing"),
    12: Term("调账", "Adjustment"),
    13: Term("划转", "Transfer"),
    14: Term("手续费", "Fee"),
}
HELD_KINDS: dict[int, Term] = {
    1: Term("预授权", "Pre-authorisation"),
    2: Term("冻结金额", "Frozen amount"),
    3: Term("待结划转", "Pending transfer"),
}
FILE_STATES: dict[str, Term] = {
    "received": Term("核对中", "being checked"),
    "ready": Term("待放行", "to be released"),
    "refused": Term("已拒绝", "refused"),
    "booking": Term("记账中", "being booked"),
    "booked": Term("已入账", "booked"),
    "withdrawn": Term("已撤回", "withdrawn"),
}
FILE_TONES = {
    "received": "info",
    "ready": "wait",
    "refused": "stop",
    "booking": "info",
    "booked": "good",
    "withdrawn": "still",
}
RUN_STATES: dict[str, Term] = {
    "reckoned": Term("已试算", "reckoned"),
    "proposed": Term("待审批", "to be decided"),
    "booking": Term("记账中", "being booked"),
    "booked": Term("已入账", "booked"),
    "withdrawn": Term("已撤回", "withdrawn"),
}
RUN_TONES = {"reckoned": "wait", "proposed": "wait", "booking": "info", "booked": "good", "withdrawn": "still"}
ENDINGS: dict[str, Term] = {
    "moving": Term("转移", "Moving"),
    "closing": Term("销户支取", "Closing"),
    "inheritance": Term("继承", "Inheritance"),
    "late": Term("销户后到账款", "Money after the end"),
}
MOVING_STATES: dict[str, Term] = {
    "sent": Term("在途", "on its way"),
    "taken": Term("已接收，待到款", "taken, to be paid"),
    "settled": Term("已结清", "settled"),
}
MOVING_TONES = {"sent": "info", "taken": "info", "settled": "good"}
LATE_STATES: dict[str, Term] = {
    "waiting": Term("待处理", "waiting"),
    "paid": Term("已支付", "paid out"),
    "moved": Term("已转入新账户", "passed on"),
}
LATE_TONES = {"waiting": "stop", "paid": "good", "moved": "good"}
