"""Words of institutions and terminals, in both languages (S4)."""

from __future__ import annotations

from sheka.faces.console.words import language
from sheka.foundation.terms import Term

STATES = {
    "registered": Term("已登记", "registered"),
    "testing": Term("测试中", "testing"),
    "accepted": Term("测试已通过", "tests accepted"),
    "active": Term("已启用", "active"),
    "suspended": Term("已暂停", "suspended"),
    "locked": Term("已锁定", "locked"),
    "closed": Term("已关闭", "closed"),
}
TONES = {
    "registered": "still",
    "testing": "wait",
    "accepted": "info",
    "active": "good",
    "suspended": "stop",
    "locked": "stop",
    "closed": "still",
}
KINDS = {
    "hospital": Term("定点医疗机构", "hospital"),
    "pharmacy": Term("定点零售药店", "pharmacy"),
    "bank": Term("合作银行", "bank"),
    "card_centre": Term("卡中心", "card centre"),
    "other": Term("其他", "other"),
}
CHANNELS = {"iso8583": Term("ISO 8583专线", "ISO 8583 line"), "rest": Term("REST接口", "REST")}
OUTCOMES = {
    "": Term("进行中", "under way"),
    "accepted": Term("已通过", "accepted"),
    "given_up": Term("已终止", "given up"),
    "superseded": Term("未采用", "not taken up"),
}
OUTCOME_TONES = {"": "wait", "accepted": "good", "given_up": "still", "superseded": "still"}
CERTIFICATE_STATES = {
    "soon": Term("30天内到期", "ends within 30 days"),
    "in_force": Term("有效", "in force"),
    "over": Term("已停用或过期", "ended or expired"),
}
PROFILES = {"sm4": Term("SM4", "SM4"), "3des": Term("3DES", "3DES")}
KEYS_FOR = {
    "terminal": Term("每台终端各自的密钥", "keys of its own for each terminal"),
    "institution": Term("全机构共用密钥", "one key for the whole institution"),
}
PURPOSES = {"mac": Term("报文鉴别", "MAC"), "pin": Term("PIN加密", "PIN"), "pin_value": Term("PIN校验", "PIN value")}
SPOKEN = {
    "001": Term("签到", "sign-on"),
    "002": Term("签退", "sign-off"),
    "161": Term("密钥申请", "key exchange"),
    "301": Term("线路测试", "echo"),
}
FAULTS = {
    "mac": Term("报文鉴别码错误", "wrong MAC"),
    "proof": Term("卡片密文错误", "wrong cryptogram of a card"),
    "clock": Term("时间偏差", "time too far from ours"),
}
VERBS = {
    "unlock": Term("解锁终端", "Unlock the terminal"),
    "profile": Term("设置线路算法", "Set the algorithm of the line"),
    "transport_key": Term("设置传输密钥", "Set the transport key"),
    "change": Term("更改登记", "Change what is registered"),
    "terminals": Term("登记终端", "Register terminals"),
    "certificate": Term("登记证书", "Register a certificate"),
    "begin_testing": Term("开始测试", "Begin the tests"),
    "accept": Term("验收测试", "Accept the tests"),
    "give_up": Term("终止测试", "Give up the tests"),
    "activate": Term("启用", "Activate"),
    "adopt": Term("采用新版本", "Take up the tested version"),
    "suspend": Term("暂停", "Suspend"),
    "resume": Term("恢复", "Resume"),
    "close": Term("关闭", "Close"),
}


def said(term: Term) -> str:
    """A term in the language of the page."""
    return term.text(language())


def offered(words: dict[str, Term]) -> list[tuple[str, str]]:
    """Choices of a form or a filter."""
    return [(value, said(word)) for value, word in words.items()]
