"""The words of exception cases, in both languages (S10)."""

from __future__ import annotations

from sheka.foundation.terms import Term
from sheka.systems.exceptions.models import Closing, Complaint, Reason, Side

REASONS: dict[str, Term] = {
    Reason.ONLY_OURS: Term("只有我方有账", "Only we have it"),
    Reason.ONLY_THEIRS: Term("只有对方有账", "Only the other side has it"),
    Reason.AMOUNT: Term("金额不一致", "The amounts differ"),
    Reason.DUPLICATE: Term("对方重复记账", "The other side has it twice"),
    Reason.UNBALANCED: Term("结算总额不平", "The settlement does not balance"),
    Reason.UNKNOWN: Term("交易结果未知", "Outcome unknown"),
    Reason.REVERSAL_FIRST: Term("冲正先于原交易", "Reversal before the original"),
    Reason.LATE_REVERSAL: Term("迟到的冲正", "Late reversal"),
    Reason.SETTLED_REVERSAL: Term("已清算交易被冲正", "Reversal of a settled item"),
    Reason.DOUBLE_REVERSAL: Term("已退回或已完成的交易再被冲正", "Reversal of what was taken back already"),
    Reason.PARTIAL_REVERSAL: Term("冲正金额与原交易不同", "Reversal of another amount"),
    Reason.OTHER_AMOUNT: Term("同一流水号金额不同", "Same number, another content"),
    Reason.ANSWER_LOST: Term("应答丢失", "Answer lost"),
    Reason.TIME_OUT: Term("处理超时", "Time-out"),
    Reason.CLOCK_SKEW: Term("终端时钟偏差", "Clock skew"),
    Reason.WRONG_MAC: Term("报文校验错误，终端已锁定", "Wrong MAC or cryptogram, terminal locked"),
    Reason.REPLAY: Term("重放请求", "Replay"),
    Reason.HOLD_EXPIRED: Term("预授权到期未完成", "Orphan pre-authorisation expired"),
    Reason.ADVICE_REFUSED: Term("离线通知无法入账", "Advice could not be booked"),
    Reason.DISPUTE: Term("争议交易", "Dispute"),
    Reason.OTHER: Term("其他异常", "Other"),
}
CLOSINGS: dict[str, Term] = {
    Closing.REVERSED: Term("已冲正", "It is reversed"),
    Closing.DATE_SHIFT: Term("日切差异", "Shift at the cut-off"),
    Closing.DUPLICATE: Term("重复，只认一笔", "A duplicate: it counts once"),
    Closing.NO_MONEY_MOVED: Term("未动账", "No money moved"),
    Closing.RELEASED: Term("占用金额已释放", "What was held is free again"),
    Closing.OTHER_SIDE_CORRECTS: Term("由对方更正", "The other side corrects it"),
    Closing.NOT_UPHELD: Term("争议不成立", "The dispute is not upheld"),
    Closing.WITHDRAWN: Term("已撤回", "Withdrawn"),
    Closing.EXPLAINED: Term("已查明，无需调账", "Explained, nothing to book"),
}
COMPLAINTS: dict[str, Term] = {
    Complaint.NOT_MADE: Term("非本人交易", "I did not make it"),
    Complaint.WRONG_AMOUNT: Term("金额不对", "The amount is wrong"),
    Complaint.TWICE: Term("重复扣款", "It was taken twice"),
    Complaint.NOT_RECEIVED: Term("未收到药品或服务", "Goods or service not received"),
    Complaint.NO_ANSWER: Term("无应答，结果不明", "There was no answer"),
    Complaint.NOT_CREDITED: Term("机构未收到款", "The institution was not credited"),
    Complaint.OTHER: Term("其他", "Something else"),
}
SIDES: dict[str, Term] = {
    Side.CITIZEN: Term("参保人", "The citizen"),
    Side.INSTITUTION: Term("定点机构", "The institution"),
}
OUTCOMES: dict[str, Term] = {
    "upheld": Term("争议成立", "Upheld"),
    "partly": Term("部分成立", "Upheld in part"),
    "not_upheld": Term("争议不成立", "Not upheld"),
}
EVENTS: dict[str, Term] = {
    "open": Term("立案", "Opened"),
    "again": Term("再次发生", "It happened again"),
    "take": Term("接手", "Taken in hand"),
    "assign": Term("交办", "Assigned"),
    "give_back": Term("退回待处理", "Given back"),
    "note": Term("记录", "Note"),
    "ask": Term("向对方查询", "The other side was asked"),
    "answer": Term("对方答复", "The other side answered"),
    "silent": Term("对方逾期未答复", "The other side did not answer in time"),
    "propose": Term("提交审批", "Put before an approver"),
    "send_back": Term("审批退回", "Not approved"),
    "resolve": Term("入账结案", "Resolved by an entry"),
    "decide": Term("裁定", "Decided"),
    "close": Term("结案", "Closed"),
    "reopen": Term("重新开启", "Opened again"),
    "suggest": Term("规则建议", "A rule suggests"),
    "give_up": Term("结果仍不明，转人工", "Still unknown: for a person"),
    "withdraw": Term("申请人撤回争议", "Withdrawn by who opened it"),
    "evidence": Term("收到证明材料", "Evidence received"),
    "extend": Term("延长期限", "Deadline extended"),
    "late": Term("超过期限", "Past its deadline"),
    "inform": Term("告知", "Informed"),
}
ACCOUNT_ROLES: dict[str, Term] = {
    "personal": Term("个人账户", "Personal account"),
    "institution": Term("机构账户", "Institution's account"),
    "suspense": Term("待清算账户", "Suspense account"),
}
