"""What states, verbs and purposes of keys, consignments and machines are called, in both languages (K1, K2, K4)."""

from __future__ import annotations

from sheka.foundation.terms import Term

KEY_STATES = {
    "planned": Term("已计划", "planned"),
    "generated": Term("已生成", "generated"),
    "distributed": Term("已分发", "distributed"),
    "active": Term("在用", "active"),
    "suspended": Term("停用", "suspended"),
    "retired": Term("已停止使用", "retired"),
    "destroyed": Term("已销毁", "destroyed"),
}
KEY_TONES = {
    "planned": "still",
    "generated": "wait",
    "distributed": "info",
    "active": "good",
    "suspended": "stop",
    "retired": "still",
    "destroyed": "still",
}
VERBS = {
    "plan": Term("列入计划", "Planned"),
    "generate": Term("在加密机内生成", "Generated in the machine"),
    "import": Term("导入加密机", "Imported into the machine"),
    "distribute": Term("下级已导入并确认", "Taken in and confirmed by the level below"),
    "activate": Term("启用", "Activated"),
    "suspend": Term("因事件停用", "Suspended by an incident"),
    "thaw_generated": Term("事件结束，恢复", "Released after an incident"),
    "thaw_distributed": Term("事件结束，恢复", "Released after an incident"),
    "thaw_active": Term("事件结束，恢复使用", "Released after an incident, in use again"),
    "retire": Term("停止使用", "Retired"),
    "destroy": Term("在加密机内销毁", "Destroyed in the machine"),
}
CONSIGNMENT_STATES = {
    "loaded": Term("已写入载体", "on its carrier"),
    "handed_over": Term("已交出", "handed over"),
    "received": Term("已接收", "received"),
    "imported": Term("已导入", "imported"),
    "acknowledged": Term("校验值一致", "check values agree"),
    "lost": Term("载体遗失，作废", "void: carrier lost"),
    "disputed": Term("校验值不一致", "check values differ"),
}
CONSIGNMENT_TONES = {
    "loaded": "wait",
    "handed_over": "wait",
    "received": "info",
    "imported": "good",
    "acknowledged": "good",
    "lost": "stop",
    "disputed": "stop",
}
MACHINE_STATES = {
    "registered": Term("已登记，无证书", "registered, no certificate"),
    "certified": Term("有证书", "certified"),
    "retired": Term("已退役", "retired"),
}
MACHINE_TONES = {"registered": "wait", "certified": "good", "retired": "still"}
PURPOSES = {
    "internal": Term("内部认证：证明卡为真", "internal authentication: the card proves itself"),
    "read": Term("外部认证：读", "external authentication to read"),
    "update": Term("外部认证：写", "external authentication to write"),
    "unblock": Term("解锁与重装密码", "unblocks and reloads the PIN"),
    "mac": Term("锁定命令的报文鉴别", "signs blocking commands"),
    "lock_card": Term("锁卡", "locks the card"),
    "lock_application": Term("锁应用", "locks an application"),
    "purchase": Term("医疗消费会话", "session of a medical purchase"),
    "tac": Term("交易验证码", "transaction code (TAC)"),
    "load": Term("圈存", "load"),
    "amount": Term("金额文件", "amount file"),
}
LEVELS = {
    "ministry": Term("部", "Ministry"),
    "province": Term("省", "Province"),
    "city": Term("市", "City"),
    "card": Term("卡", "Card"),
    "maker": Term("芯片厂商", "Chip maker"),
    "carrier": Term("载体厂商", "Maker of carriers"),
}
