"""The minutes of a request that has ended: what was frozen, who decided what about which digest, and why."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.actions import action
from sheka.office.approvals.matters import read_lines
from sheka.office.approvals.models import Decision, Proposal
from sheka.office.approvals.queries import proposal_read_by
from sheka.office.approvals.states import RUNNING, STATE_WORDS
from sheka.office.documents.models import Document
from sheka.office.documents.papers.making import make_paper
from sheka.office.organisations.models import Organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission

VERDICT_WORDS = {
    "approve": Term("同意", "Approved"),
    "supplement": Term("退回补正", "Returned for completion"),
    "reject": Term("不同意", "Rejected"),
}


@action(Permission.DOCUMENT_VIEW)
def issue_minutes(actor: Actor, *, proposal_id: int) -> Document:
    """The minutes as PDF, for whoever may read the request.

    Raises Refused: APPROVAL_UNKNOWN, STATE_FORBIDS while somebody's turn is to come, and what making a paper refuses.
    """
    proposal = proposal_read_by(actor, proposal_id)
    if proposal.state in RUNNING and proposal.state != "approved":
        raise Refused(Code.STATE_FORBIDS, state=proposal.state, verb="print", allowed="approved, done, rejected")
    facts = minutes_facts(proposal)
    return make_paper(
        actor, template="approval_minutes", subject=proposal.key, facts=facts, number=str(proposal.number)
    )


def minutes_facts(proposal: Proposal) -> dict[str, Any]:
    """What stands in the minutes: every version's decisions, the payload as it was frozen last."""
    decisions = list(proposal.decisions.all())
    places = Organisation.objects.in_bulk([row.place for row in decisions])
    first, outcome = proposal.versions.all()[0], STATE_WORDS[proposal.state]
    return {
        "matter": [proposal.matter.title.zh, proposal.matter.title.en],
        "outcome": [outcome.zh, outcome.en],
        "author": first.name,
        "made_at": _at(proposal.made_at),
        "digest": proposal.digest,
        "payload": _payload(proposal),
        "decisions": [_decision(row, places) for row in decisions],
    }


def _payload(proposal: Proposal) -> list[list[str]]:
    """[zh label, en label, value] of each line; a value that reads otherwise in English stands there twice."""
    in_chinese = read_lines(proposal.matter, proposal.payload, None, "zh-hans")
    in_english = read_lines(proposal.matter, proposal.payload, None, "en")
    return [
        [zh.label, en.label, zh.value if zh.value == en.value else f"{zh.value} · {en.value}"]
        for zh, en in zip(in_chinese, in_english, strict=True)
    ]


def _decision(row: Decision, places: dict[str, Organisation]) -> dict[str, Any]:
    verdict, place = VERDICT_WORDS[row.verdict], places.get(row.place)
    return {
        "verdict": [verdict.zh, verdict.en],
        "by": f"{row.name}（代 {row.lender_name}）" if row.lender_name else row.name,
        "place": [place.name, place.name_en] if place else [row.place, row.place],
        "at": f"{_at(row.decided_at)} · {row.version} · {row.digest[:16]}",
        "reason": row.reason,
    }


def _at(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M}"
