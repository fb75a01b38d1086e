"""What stands in the minutes: plan, roster, every act with its values, what was refused, how it ended (K6)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from sheka.foundation.terms import Term
from sheka.systems.ceremonies.models import Act, Ceremony
from sheka.systems.ceremonies.queries import acts_of
from sheka.systems.ceremonies.roster import part_title
from sheka.systems.ceremonies.states import STATE_WORDS

LABELS: dict[str, Term] = {
    "signed": Term("签署内容摘要", "digest of what is signed"),
    "factor": Term("本人凭证", "proved by"),
    "product": Term("型号", "product"),
    "version": Term("版本", "version"),
    "driver": Term("驱动", "driver"),
    "certificate": Term("型号证书", "type certificate"),
    "fingerprint": Term("指纹", "fingerprint"),
    "keys": Term("密钥数", "keys"),
    "log_entries": Term("日志条数", "log entries"),
    "log_head": Term("日志链头", "log head"),
    "typed": Term("输入的校验值", "check value typed"),
    "compared": Term("核对个数", "values compared"),
    "receiver": Term("领取密钥", "receiving key"),
    "threshold": Term("门限", "threshold"),
    "holders": Term("持有人数", "holders"),
    "set": Term("份额批次", "set of shares"),
    "holder": Term("份额编号", "holder"),
    "presented": Term("已录入", "presented"),
    "needed": Term("所需", "needed"),
    "key": Term("密钥", "key"),
    "scheme": Term("分割方式", "scheme"),
    "parts": Term("分量", "parts"),
    "part": Term("分量编号", "part"),
    "check_value": Term("校验值", "check value"),
    "on_paper": Term("书面校验值", "check value on paper"),
    "carrier": Term("载体编号", "carrier"),
    "consignment": Term("交接批次", "consignment"),
    "recipient": Term("接收机构", "recipient"),
    "file": Term("备份文件", "back-up"),
    "content": Term("备份摘要", "digest of the back-up"),
    "number": Term("拒绝编号", "refusal"),
}
"""What evidence is called; what has no name here is a check value list or a refusal's sentence."""
WORDS = {
    "xor": Term("全部分量异或", "every component, XOR"),
    "shamir": Term("门限共享", "a threshold, Shamir"),
    "key": Term("安全密钥", "security key"),
    "code": Term("口令与动态码", "password and one-time code"),
    "recovery": Term("口令与恢复码", "password and recovery code"),
}


def minutes_facts(ceremony: Ceremony) -> dict[str, Any]:
    """The facts of the paper `ceremony_minutes`. The ceremony is over."""
    acts = acts_of(ceremony)
    outcome, asked = STATE_WORDS[ceremony.state], ceremony.asked
    proposal = ceremony.proposal
    return {
        "kind": _pair(ceremony.title),
        "outcome": _pair(outcome),
        "rehearsal": ceremony.rehearsal,
        "approval": f"{proposal.number} · {ceremony.proposal_digest}" if proposal else "",
        "planned": f"{ceremony.planned_by_name} · {moment(ceremony.planned_at)}",
        "begun": moment(ceremony.started_at) if ceremony.started_at else "—",
        "ended": f"{moment(ceremony.ended_at)} · {ceremony.ended_by}" if ceremony.ended_at else "—",
        "reason": ceremony.end_reason,
        "asked": [f"{name} = {asked[name]}" for name in sorted(asked) if name != "names"],
        "roster": [[*_pair(part_title(seat.key)), seat.name] for seat in ceremony.seats.all()],
        "steps": [_step(ceremony, place, acts) for place in range(len(ceremony.script))],
        "values": [
            [row["name"], row["algorithm"], str(row["version"]), row["check_value"]]
            for row in ceremony.facts.get("values", [])
        ],
        "lasting": [_pair(step) for step in lasting_done(ceremony, acts)],
        "plan_digest": ceremony.digest,
        "record_digest": ceremony.facts["final"],
    }


def lasting_done(ceremony: Ceremony, acts: list[Act]) -> list[Term]:
    """The steps that were done for good: an abort does not undo them."""
    done = {act.step for act in acts if act.verdict == "done"}
    return [
        Term(step["zh"], step["en"]) for place, step in enumerate(ceremony.script) if step["lasting"] and place in done
    ]


def evidence_lines(act: Act) -> list[tuple[Term, Term]]:
    """What an act left, as label and value; a list of check values is told apart."""
    if act.verdict == "refused":
        return [(LABELS["number"], _same(act.evidence["number"]))]
    left = act.evidence
    return [
        (label, _said(left[name]))
        for name, label in LABELS.items()
        if left.get(name) not in (None, "", []) and not isinstance(left[name], bool)
    ]


def _said(value: Any) -> Term:
    if isinstance(value, dict):
        return _same(", ".join(f"{part_title(seat).en} {one}" for seat, one in value.items()))
    return WORDS.get(value) or _same(value)


def _same(value: object) -> Term:
    return Term(str(value), str(value))


def moment(at: datetime) -> str:
    """A time as it stands on paper, with the second."""
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S}"


def _step(ceremony: Ceremony, place: int, acts: list[Act]) -> dict[str, Any]:
    step = ceremony.script[place]
    return {
        "number": place + 1,
        "title": [step["zh"], step["en"]],
        "acts": [_act(act) for act in acts if act.step == place],
    }


def _act(act: Act) -> dict[str, Any]:
    part = part_title(act.seat.key)
    refused = act.verdict == "refused"
    said = [f"{label.zh} {value.zh}" for label, value in evidence_lines(act)]
    return {
        "at": moment(act.at),
        "by": [part.zh, part.en, act.seat.name],
        "refused": [act.evidence["zh"], act.evidence["en"]] if refused else [],
        "said": " · ".join(said),
    }


def _pair(term: Term) -> list[str]:
    return [term.zh, term.en]
