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
VERBS = {
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
