"""What states, facts and events of PSAMs are called, in both languages (K8)."""

from __future__ import annotations

from sheka.foundation.terms import Term

STATES = {
    "blank": Term("空白", "blank"),
    "loaded": Term("已灌装", "loaded"),
    "bound": Term("已绑定终端", "bound to a terminal"),
    "shipped": Term("已发往机构", "shipped"),
    "active": Term("已启用", "active"),
    "in_use": Term("在用", "in use"),
    "returned": Term("已收回", "returned"),
    "away": Term("在其他机构", "at another organisation"),
    "frozen": Term("已冻结", "frozen"),
    "lost": Term("已报失", "reported lost"),
    "destroyed": Term("已销毁", "destroyed"),
}
TONES = {
    "blank": "still",
    "loaded": "info",
    "bound": "info",
    "shipped": "wait",
    "active": "good",
    "in_use": "good",
    "returned": "wait",
    "away": "still",
    "frozen": "stop",
    "lost": "stop",
    "destroyed": "still",
}
VERBS = {
    "load": Term("灌装密钥", "Load keys"),
    "bind": Term("绑定终端", "Bind to a terminal"),
    "unbind": Term("解除绑定", "Release from the terminal"),
    "ship": Term("发往机构", "Ship to the institution"),
    "activate": Term("启用", "Activate"),
    "describe": Term("登记使用情况", "Record form, conditions and mode of use"),
    "take_back": Term("收回", "Take back"),
    "recycle": Term("擦除密钥并回收", "Erase the keys and recycle"),
    "report_lost": Term("报失", "Report it lost"),
}
LEVELS = {
    "": Term("无密钥", "no keys"),
    "ministry": Term("部级密钥（三级因子）", "ministry's keys, three factors"),
    "province": Term("省级密钥（两级因子）", "province's keys, two factors"),
    "city": Term("市级密钥（一级因子）", "city's keys, one factor"),
}
FORMS = {
    "id000": Term("ID-000（SIM尺寸）卡", "ID-000 card (SIM size)"),
    "id1": Term("ID-1标准卡", "ID-1 card"),
    "embedded": Term("焊接式模块", "soldered module"),
}
MODES = {
    "terminal": Term("固定于终端卡座", "in the terminal's slot"),
    "reader": Term("独立读卡器", "in a separate reader"),
    "pool": Term("集中式PSAM柜", "in a pool of PSAMs, over the network"),
}
EVENTS = {
    "registered": Term("登记入册", "Entered in the register"),
    "load": Term("灌装{count}个密钥（{level}）", "Loaded with {count} keys ({level})"),
    "bind": Term("绑定终端{terminal}", "Bound to the terminal {terminal}"),
    "unbind": Term("与终端{terminal}解除绑定", "Released from the terminal {terminal}"),
    "ship": Term("发往{institution}，收件人{receiver}", "Shipped to {institution}, received by {receiver}"),
    "activate": Term("启用", "Activated"),
    "describe": Term(
        "登记使用情况：{form}；{conditions}；{mode}", "Form, conditions and mode of use: {form}; {conditions}; {mode}"
    ),
    "take_back": Term("收回：{reason}", "Taken back: {reason}"),
    "recycle": Term("密钥已擦除，回收", "Keys erased, recycled"),
    "leave": Term("移交其他机构", "At another organisation"),
    "arrive": Term("已到本机构", "Arrived"),
    "freeze": Term("因安全事件{incident}冻结", "Frozen by the incident {incident}"),
    "thaw": Term("安全事件{incident}解除冻结", "Released by the incident {incident}"),
    "lose": Term("报失", "Reported lost"),
    "find": Term("寻回", "Found"),
    "destroy": Term("已销毁", "Destroyed"),
    "alarm": Term("异常：{what}", "Alarm: {what}"),
}
BAD = frozenset({"freeze", "lose", "alarm", "destroy"})
