"""What kinds, states, purposes and events of custody are called, in both languages (K5, K6)."""

from __future__ import annotations

from sheka.foundation.terms import Term

KINDS = {
    "master_key_card": Term("主密钥卡", "master key card"),
    "key_mother_card": Term("密钥母卡", "key mother card"),
    "transmission_key_card": Term("传输密钥卡", "transmission key card"),
    "psam": Term("PSAM卡", "PSAM card"),
}

STATES = {
    "blank": Term("空白在库", "blank, in the store"),
    "loaded": Term("已装载在库", "loaded, in the store"),
    "in_transit": Term("在途", "in transit"),
    "away": Term("在其他机构", "at another organisation"),
    "in_use": Term("使用中", "in use"),
    "entrusted": Term("在第三方", "at a third party"),
    "returned": Term("已归还，待查验", "back, to be checked"),
    "faulty": Term("故障", "faulty"),
    "frozen": Term("已冻结", "frozen"),
    "lost": Term("已报失", "reported lost"),
    "destroyed": Term("已销毁", "destroyed"),
}
TONES = {
    "blank": "still",
    "loaded": "good",
    "in_transit": "wait",
    "away": "still",
    "in_use": "info",
    "entrusted": "wait",
    "returned": "wait",
    "faulty": "stop",
    "frozen": "stop",
    "lost": "stop",
    "destroyed": "still",
}

VERBS = {
    "fill": Term("写入", "load"),
    "empty": Term("清空", "empty"),
    "hand_out": Term("领用", "hand out"),
    "put_back": Term("入库", "put back"),
    "send": Term("移交", "send"),
    "receive": Term("签收", "receive"),
    "entrust": Term("交第三方", "hand to a third party"),
    "return": Term("归还", "return"),
    "pass": Term("查验", "check"),
    "fail": Term("登记故障", "report faulty"),
    "freeze": Term("冻结", "freeze"),
    "report_lost": Term("报失", "report the loss"),
    "find": Term("登记寻回", "register as found"),
    "destroy": Term("销毁", "destroy"),
    "give": Term("交出", "give"),
    "recall": Term("撤回", "call back"),
    "dispute": Term("拒收", "refuse"),
    "count": Term("盘点", "count"),
    "go_out": Term("交出", "hand out"),
    "come_back": Term("归还", "bring back"),
    "witness": Term("见证", "witness"),
    "give_up": Term("放弃", "give up"),
}
"""What a refusal calls a verb of a table of states."""

PURPOSES = {
    "use": Term("领用", "for use"),
    "keep": Term("入库保管", "into the store"),
    "send": Term("移交其他机构", "to another organisation"),
    "entrust": Term("交第三方", "to a third party"),
    "return": Term("第三方归还", "back from a third party"),
}

EVENTS = {
    "issued": Term("部级发放", "Issued by the ministry"),
    "announced": Term("{sender}已交出，在途", "Given by {sender}, on its way"),
    "certified": Term("部级确认为其所发放", "The ministry confirmed that it issued it"),
    "given": Term("交出", "Given"),
    "received": Term("签收", "Received"),
    "handed_over": Term("双人交接：{giver}交{receiver}", "Handed over by two people: {giver} to {receiver}"),
    "arrived": Term("{place}已签收", "Received by {place}"),
    "moved": Term("{sender}移交{place}", "{sender} handed it to {place}"),
    "came_back": Term("交接未完成，收回", "The hand-over was not completed: taken back"),
    "stored": Term("存放：{place}", "Put into {place}"),
    "filled": Term("写入内容：{content}", "Loaded with {content}"),
    "emptied": Term("清空内容", "Emptied"),
    "entrusted": Term("交{party}，监督人{supervisor}", "Handed to {party}, watched by {supervisor}"),
    "returned": Term("由{party}归还", "Back from {party}"),
    "checked": Term("归还查验合格", "Checked after its return"),
    "failed": Term("登记故障：{reason}", "Faulty: {reason}"),
    "lost": Term("报失：{reason}", "Reported lost: {reason}"),
    "found": Term("寻回：{reason}", "Found: {reason}"),
    "frozen": Term("因安全事件 {incident} 冻结", "Frozen by the incident {incident}"),
    "thawed": Term("安全事件 {incident} 解除冻结", "Released by the incident {incident}"),
    "disputed": Term("拒收：{reason}", "Refused: {reason}"),
    "missed": Term("盘点 {count} 未见", "Not found at the count {count}"),
    "seen": Term("盘点 {count} 账实相符", "Found at the count {count}"),
    "destroyed": Term("销毁（{number}），见证人{witnesses}", "Destroyed ({number}), seen by {witnesses}"),
}
BAD = frozenset({"failed", "lost", "frozen", "disputed", "missed", "destroyed"})

ORDER_STATES = {
    "asked": Term("待审批", "to be decided"),
    "approved": Term("已批准，待发放", "approved, to be issued"),
    "refused": Term("未批准", "not approved"),
    "issued": Term("已发放", "issued"),
}
HAND_OVER_STATES = {
    "begun": Term("待交出人确认", "to be confirmed by the giver"),
    "given": Term("待接收人确认", "to be confirmed by the receiver"),
    "completed": Term("已完成", "completed"),
    "disputed": Term("已拒收", "refused"),
    "cancelled": Term("已取消", "cancelled"),
    "expired": Term("已过期", "expired"),
    "recalled": Term("正在撤回", "being recalled"),
}
COUNT_STATES = {
    "open": Term("待第一人盘点", "for the first counter"),
    "counted": Term("待第二人盘点", "for the second counter"),
    "agreed": Term("账实相符", "all as registered"),
    "differed": Term("有差异，已报安全事件", "differs: incident reported"),
    "given_up": Term("已放弃", "given up"),
}
ENTRUSTMENT_STATES = {
    "prepared": Term("准备中", "being prepared"),
    "out": Term("在第三方", "at the third party"),
    "back": Term("已归还", "back"),
    "given_up": Term("已放弃", "given up"),
}
DESTRUCTION_STATES = {
    "open": Term("待见证", "to be witnessed"),
    "closed": Term("已销毁", "destroyed"),
    "given_up": Term("已放弃", "given up"),
}
METHODS = {
    "shred": Term("粉碎", "Shredding"),
    "crush": Term("压碎", "Crushing"),
    "incinerate": Term("焚烧", "Incineration"),
}
