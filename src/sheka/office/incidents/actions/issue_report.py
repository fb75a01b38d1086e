"""The report of an incident as a paper for the superior department (K9)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from sheka.foundation.terms import Term
from sheka.office.actions import action
from sheka.office.documents.models import Document
from sheka.office.documents.papers.making import make_paper
from sheka.office.incidents.clocks import CLOCKS
from sheka.office.incidents.models import Affected, Deadline, Entry, Incident, Receipt
from sheka.office.incidents.plans import SEVERITIES, follow_up_titles, kind_named, things
from sheka.office.incidents.queries import incident_read_by
from sheka.office.incidents.states import AFFECTED_WORDS, STATE_WORDS
from sheka.office.incidents.words import in_both, line_text, line_title
from sheka.office.organisations.models import Organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission

Both = list[str]


@action(Permission.INCIDENT_VIEW)
def issue_report(actor: Actor, *, number: str) -> Document:
    """The report as it stands now, as PDF; an earlier one is void then.

    Raises Refused: INCIDENT_UNKNOWN, and what making a paper refuses.
    """
    incident = incident_read_by(actor, number)
    return make_paper(actor, template="incident_report", subject=incident.subject, facts=report_facts(incident))


def report_facts(incident: Incident) -> dict[str, Any]:
    """What stands in the report; everything that was said, and every time with its day."""
    entries = list(incident.entries.all())
    receipts = list(incident.receipts.all())
    codes = {incident.origin, incident.reported_from, *(row.place for row in receipts), *(row.place for row in entries)}
    rows = Organisation.objects.in_bulk(list(codes))
    places = {code: Term(row.name, row.name_en) for code, row in rows.items()}
    version = incident.plan_version
    return {
        "kind": _both(kind_named(incident.kind).title),
        "severity": _both(SEVERITIES[incident.severity]),
        "state": _both(STATE_WORDS[incident.state]),
        "origin": _place(incident.origin, places),
        "noticed_at": _at(incident.noticed_at),
        "reported_at": _at(incident.reported_at),
        "reported_by": f"{incident.reported_by} · {_place(incident.reported_from, places)[0]}",
        "handled_by": incident.handled_by,
        "about": incident.about,
        "plan": [f"第{version}版", f"version {version}"] if version else ["默认预案（未采用）", "default, not adopted"],
        "affected": [_affected(row) for row in incident.affected.all()],
        "follow_ups": [
            {
                "name": _both(follow_up_titles().get(row.name, Term(row.name, row.name))),
                "subject": row.subject,
                "note": in_both(row.answer or row.failure).zh,
            }
            for row in incident.follow_ups.all()
        ],
        "deadlines": [_deadline(row) for row in incident.deadlines.all()],
        "receipts": [_receipt(row, places) for row in receipts],
        "cause": incident.cause,
        "measures": incident.measures,
        "entries": [_entry(row, places) for row in entries],
    }


def _affected(row: Affected) -> dict[str, Any]:
    return {
        "sort": _both(things().get(row.sort, Term(row.sort, row.sort))),
        "name": row.name,
        "state": _both(AFFECTED_WORDS[row.state]),
        "note": row.reason or in_both(row.answer or row.failure).zh,
    }


def _deadline(row: Deadline) -> dict[str, Any]:
    if row.met_at is None:
        late = row.due_at <= timezone.now()
        state = Term("已超时", "overdue") if late else Term("未到期", "not yet due")
    else:
        word = ("按时", "in time") if row.met_at <= row.due_at else ("超时", "late")
        state = Term(f"{word[0]}完成，{_at(row.met_at)}", f"met {word[1]}")
    return {"name": _both(CLOCKS[row.name]), "due": _at(row.due_at), "state": _both(state)}


def _receipt(row: Receipt, places: dict[str, Term]) -> dict[str, Any]:
    if row.read_at is not None:
        state = Term(f"{row.read_by}于{_at(row.read_at)}签阅", f"read by {row.read_by}")
    elif row.arrived_at is not None:
        state = Term(f"{_at(row.arrived_at)}送达，尚未签阅", "arrived, not read yet")
    else:
        state = Term(f"{_at(row.sent_at)}发出，尚未送达", "sent, not arrived yet")
    return {"place": _place(row.place, places), "state": _both(state)}


def _entry(row: Entry, places: dict[str, Term]) -> dict[str, Any]:
    said = line_text(row, places)
    return {
        "what": _both(line_title(row)),
        "who": f"{'系统' if row.by_process else row.name} · {_place(row.place, places)[0]}",
        "at": _at(row.at),
        "text": said.zh,
    }


def _place(code: str, places: dict[str, Term]) -> Both:
    return _both(places.get(code, Term(code, code)))


def _both(term: Term) -> Both:
    return [term.zh, term.en]


def _at(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M}"
