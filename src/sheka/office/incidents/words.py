"""What the lines of an incident's timeline are called, on its page and on its paper (K9)."""

from __future__ import annotations

from collections.abc import Mapping

from sheka.foundation.terms import Term
from sheka.office.incidents.clocks import CLOCKS
from sheka.office.incidents.guards import RULES
from sheka.office.incidents.models import Entry

LINES = {name: rule.title for name, rule in RULES.items()} | {
    "report": Term("报告", "Reported"),
    "contain": Term("事态已控制", "Contained"),
    "handle": Term("处置完毕", "Handled"),
    "take": Term("接手处置", "Taken in hand"),
    "doubt": Term("提出是误报", "Called a false alarm"),
    "add": Term("登记受影响对象", "Affected thing added"),
    "regrade": Term("调整级别", "Severity changed"),
    "note": Term("进展", "Progress"),
    "answer": Term("答复上级", "Superior answered"),
    "close": Term("结案", "Closed"),
    "send_back": Term("退回处置", "Sent back"),
    "dismiss": Term("确认误报", "Agreed to be a false alarm"),
    "uphold": Term("认定不是误报", "No false alarm"),
    "reopen": Term("重新开启", "Opened again"),
    "demand": Term("上级要求补充", "Superior asks for more"),
    "read": Term("签阅", "Signed as read"),
    "arrived": Term("上级收到", "Arrived above"),
    "frozen": Term("已冻结", "Frozen"),
    "freeze_failed": Term("冻结失败", "Freezing failed"),
    "follow_up": Term("后续措施已启动", "Follow-up begun"),
    "follow_up_failed": Term("后续措施未能启动", "Follow-up failed"),
    "replace": Term("已更换", "Replaced"),
    "destroy": Term("已销毁", "Destroyed"),
    "thaw": Term("已解冻", "Released"),
    "waive": Term("放弃冻结", "Freezing waived"),
    "late": Term("超过时限", "Past its time"),
    "unread": Term("上级无人签阅", "Nobody above has read it"),
}
BAD = frozenset({"freeze_failed", "follow_up_failed", "late", "unread", "demand", "send_back", "reopen"})
"""Lines that call for somebody."""


def line_title(entry: Entry) -> Term:
    """What a line says happened."""
    return LINES.get(entry.verb, Term(entry.verb, entry.verb))


def in_both(text: str) -> Term:
    """A text of two lines is Chinese and English; of one, as somebody wrote it."""
    zh, _break, en = text.partition("\n")
    return Term(zh, en or zh)


def line_text(entry: Entry, places: Mapping[str, Term]) -> Term:
    """What stands in a line: a clock and a place by their names, everything else as it was written."""
    if entry.verb == "late":
        return CLOCKS[entry.text]
    if entry.verb in ("freeze_failed", "follow_up_failed"):
        return in_both(entry.text)
    as_written = Term(entry.text, entry.text)
    return places.get(entry.text, as_written) if entry.verb == "unread" else as_written
