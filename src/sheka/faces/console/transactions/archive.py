"""The archive of transactions (S4, ADR 32): days written, days due, partitions; one day and what is done with it; the
search in days that have left. Who proposes that a day leaves does not decide it: that is done on the approvals page.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from sheka.faces.console.doors import opens
from sheka.faces.console.forms import Sheet
from sheka.faces.console.psams.words import said
from sheka.faces.console.telling import told
from sheka.faces.console.transactions.lists import REFUSED
from sheka.foundation.numbers import mask_card_number
from sheka.foundation.refusals import Refused
from sheka.foundation.terms import Term
from sheka.office.approvals.models import Proposal
from sheka.office.approvals.queries import readable_by
from sheka.office.jobs.actions.start_job import start_job
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.transactions.actions.archive_day import DETACH, propose_detaching
from sheka.systems.transactions.archive import MOST_FOUND, Wanted, archives, due_days, find_archived
from sheka.systems.transactions.archive_files import names_of
from sheka.systems.transactions.archive_jobs import CHECK_JOB, RESTORE_JOB, WRITE_JOB
from sheka.systems.transactions.archive_models import Archive
from sheka.systems.transactions.labels import KINDS
from sheka.systems.transactions.partitions import EMPTY_BYTES, Partition, partitions
from sheka.systems.transactions.response_codes import response_code
from sheka.systems.transactions.retention import last_due, retention

STATES = {
    "attached": (Term("已归档，仍在库", "archived, still in the database"), "info"),
    "detached": (Term("已分离，仅存档案", "only in the archive"), "still"),
}
SHOWN_PARTITIONS = 40


@dataclass(frozen=True, slots=True)
class Verb:
    """What is done with a day. `job`: the name of the job that does it; without one it is proposed to somebody else."""

    title: str | Promise
    asks: str | Promise
    needs: Permission
    states: tuple[str, ...]
    job: str = ""
    danger: bool = False


VERBS: dict[str, Verb] = {
    "write": Verb(
        _("Write the archive"),
        _("Every row of the day becomes Parquet with a signed manifest, is read back and compared. Nothing leaves the"
          " database."),
        Permission.ARCHIVE_WRITE,
        ("due", "attached"),
        WRITE_JOB,
    ),
    "detach": Verb(
        _("Propose to detach"),
        _("The files are proved now. Then another person decides on the page of approvals; with that decision the rows"
          " leave the database, and only the files have them. Copy the files to two other media first."),
        Permission.ARCHIVE_WRITE,
        ("attached",),
        danger=True,
    ),
    "restore": Verb(
        _("Put the day back"),
        _("Its rows come back from the files, are compared with what was archived, and stand in the database again."),
        Permission.ARCHIVE_WRITE,
        ("detached",),
        RESTORE_JOB,
    ),
    "check": Verb(
        _("Prove the archive"),
        _("Signature, digests and every row are read again, and compared with the database while the day is there."),
        Permission.TRANSACTION_VERIFY,
        ("attached", "detached"),
        CHECK_JOB,
    ),
}  # fmt: skip


class SearchForm(Sheet):
    """What to look for in the files of days that have left, and for what purpose."""

    purpose = forms.CharField(
        label=_("For what purpose? It is recorded."),
        min_length=2,
        max_length=200,
        error_messages={"required": _("Say for what"), "min_length": _("Write a whole sentence")},
    )
    card_number = forms.CharField(label=_("Card number"), required=False, max_length=9)
    terminal = forms.CharField(label=_("Terminal number"), required=False, max_length=12)
    rrn = forms.CharField(label=_("Retrieval reference number"), required=False, max_length=12)
    since = forms.DateField(
        label=_("Business date from"),
        required=False,
        widget=forms.DateInput({"type": "date", "class": "govuk-input govuk-input--width-10"}, format="%Y-%m-%d"),
    )
    until = forms.DateField(
        label=_("Business date until"),
        required=False,
        widget=forms.DateInput({"type": "date", "class": "govuk-input govuk-input--width-10"}, format="%Y-%m-%d"),
    )


@opens(Permission.ARCHIVE_WRITE, Permission.ARCHIVE_DECIDE, Permission.TRANSACTION_VERIFY)
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Days archived, days due, partitions with their sizes."""
    today, policy = timezone.localdate(), retention()
    known = partitions()
    context = {
        "archives": [(one, _state(one)) for one in archives()],
        "due": due_days(today),
        "last_due": last_due(today),
        "policy": policy,
        "source": said(Term(policy.source, policy.source_en)),
        "partitions": [(one, _rows(one)) for one in known[-SHOWN_PARTITIONS:][::-1]],
        "more": max(0, len(known) - SHOWN_PARTITIONS),
        "bytes": sum(one.bytes for one in known),
        "searches": request.actor.may(Permission.TRANSACTION_VIEW),
    }
    return render(request, "console/transactions/archive.html", context)


@opens(Permission.ARCHIVE_WRITE, Permission.ARCHIVE_DECIDE, Permission.TRANSACTION_VERIFY)
@require_safe
def one_day(request: HttpRequest, day: int) -> HttpResponse:
    """One day: what its files hold, what was done with it, who decides."""
    when = _day(day)
    archive, partition = _found(when)
    asked = _asked(request.actor, when)
    state = _standing(archive, when)
    context = {
        "day": when,
        "address": day,
        "archive": archive,
        "partition": partition,
        "rows": _rows(partition) if partition else None,
        "state": _state(archive) if archive else _waiting(when),
        "due_on": when + timedelta(days=retention().online_days + 1),
        "asked": asked,
        "state_name": state,
        "searches": request.actor.may(Permission.TRANSACTION_VIEW),
        "verbs": [
            (name, verb.title, verb.danger)
            for name, verb in VERBS.items()
            if state in verb.states and request.actor.may(verb.needs) and not (name == "detach" and asked is not None)
        ],
        "moments": _moments(archive),
        "files": names_of(when),
        "keep_until": date(when.year + retention().years, 12, 31),
    }
    return render(request, "console/transactions/archive_day.html", context)


@opens(Permission.ARCHIVE_WRITE, Permission.TRANSACTION_VERIFY)
@require_http_methods(["GET", "HEAD", "POST"])
def verb(request: HttpRequest, day: int, verb: str) -> HttpResponse:
    """Say what will happen, then start it: reading a whole day takes its time, so a job does it."""
    if verb not in VERBS:
        raise Http404
    what, when, problem, status = VERBS[verb], _day(day), None, 200
    request.actor.require(what.needs)
    archive, _partition = _found(when)
    if request.method == "POST":
        try:
            if what.job:
                return redirect("console:jobs_job", start_job(request.actor, what.job, day=when.isoformat()).pk)
            propose_detaching(request.actor, day=when)
        except Refused as refusal:
            problem, status = told(refusal), refusal.http
        else:
            messages.success(request, gettext("It waits for another person's decision"), extra_tags="good")
            return redirect("console:transactions_archive_day", day=day)
    context = {"day": when, "address": day, "what": what, "problem": problem, "archive": archive}
    return render(request, "console/transactions/archive_verb.html", context, status=status)


@opens(Permission.TRANSACTION_VIEW)
@require_http_methods(["GET", "HEAD", "POST"])
def search(request: HttpRequest) -> HttpResponse:
    """Transactions of days that have left the database, from files that are proved first."""
    form, problem, status, rows = SearchForm(request.POST or None), None, 200, None
    if request.method == "POST" and form.is_valid():
        given = dict(form.cleaned_data)
        purpose = given.pop("purpose")
        wanted = Wanted(**{**given, "card_number": given["card_number"].strip().upper()})
        try:
            rows = [_row(row) for row in find_archived(request.actor, wanted, purpose=purpose)]
        except Refused as refusal:
            problem, status = told(refusal), refusal.http
    context = {
        "form": form,
        "problem": problem,
        "rows": rows,
        "most": MOST_FOUND,
        "days": archives().filter(state="detached").count(),
    }
    return render(request, "console/transactions/archived.html", context, status=422 if form.errors else status)


def _rows(one: Partition) -> int | None:
    """The database's estimate; None while it has made none of a table that is not empty."""
    return None if one.rows == 0 and one.bytes > EMPTY_BYTES else one.rows


def _row(row: dict[str, Any]) -> dict[str, Any]:
    kind = KINDS.get(row["kind"])
    return {
        "day": row["business_date"],
        "kind": said(kind) if kind else row["kind"],
        "amount": row["amount"],
        "refused": f"{said(REFUSED)} {response_code(row['refusal'])}" if row["refusal"] else "",
        "institution": row["institution"],
        "terminal": row["terminal"],
        "stan": f"{row['stan']:06d}",
        "card": mask_card_number(row["card_number"]) if row["card_number"] else "",
    }


def _day(number: int) -> date:
    try:
        return datetime.strptime(f"{number:08d}", "%Y%m%d").date()  # noqa: DTZ007 - a business date has no zone
    except ValueError:
        raise Http404 from None


def _found(day: date) -> tuple[Archive | None, Partition | None]:
    archive = archives().filter(business_date=day).first()
    partition = next((one for one in partitions() if one.day == day), None)
    if archive is None and partition is None:
        raise Http404
    return archive, partition


def _standing(archive: Archive | None, day: date) -> str:
    if archive is not None:
        return archive.state
    return "due" if day <= last_due(timezone.localdate()) else "young"


def _state(archive: Archive) -> tuple[str, str]:
    word, tone = STATES[archive.state]
    return said(word), tone


def _waiting(day: date) -> tuple[str, str]:
    if _standing(None, day) == "due":
        return gettext("due to be archived"), "wait"
    return gettext("in the database"), "good"


def _asked(actor: Actor, day: date) -> Proposal | None:
    """The request to detach it that is not decided yet."""
    rows = readable_by(actor).filter(kind=DETACH, subject=f"archive:{day.isoformat()}", state__in=("open", "returned"))
    return rows.order_by("-pk").first()


Moment = tuple[str, datetime | None, str, str]


def _moments(archive: Archive | None) -> list[Moment]:
    """Word, when, by whom, mark of each moment of an archived day; what comes is dashed."""
    if archive is None:
        return []
    found: list[Moment] = [(gettext("Written, read back and signed"), archive.made_at, archive.made_by, "done")]
    if archive.detached_at:
        found.append((gettext("Detached: its rows left the database"), archive.detached_at, "", "done"))
    if archive.restored_at:
        found.append((gettext("Put back from its files"), archive.restored_at, "", "done"))
    found.sort(key=_when)
    word, at, who, _mark = found[-1]
    found[-1] = (word, at, who, "now")
    if archive.state == "attached":
        found.append((gettext("Detached with a second person's decision"), None, "", "next"))
    return found


def _when(moment: Moment) -> datetime:
    return moment[1] or timezone.now()
