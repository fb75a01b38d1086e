"""Pages of jobs: the list, one job with its progress, cancel, run again."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from sheka.faces.console.doors import open_to_staff
from sheka.faces.console.jobs.words import RESULT_PAGES, STATES
from sheka.faces.console.lists import Column, Days, Listing, Select, Stamp, Text, show_list
from sheka.faces.console.words import in_chinese, language
from sheka.office.jobs.actions.cancel_job import cancel_job
from sheka.office.jobs.actions.run_job_again import run_job_again
from sheka.office.jobs.models import JobRun
from sheka.office.jobs.queries import run_of, runs_of
from sheka.office.jobs.registry import kinds, title_of
from sheka.office.jobs.states import RUN
from sheka.office.staff.actors import Actor


def stamp(run: JobRun) -> Stamp:
    """The state of a run; one that was asked to stop says so."""
    if run.state == "running" and run.cancel_asked_at:
        return Stamp(_("Stopping"), "wait")
    return Stamp(*STATES[run.state])


def _choices(actor: Actor) -> list[tuple[str, str]]:
    return sorted((name, title_of(name, language())) for name in kinds())


def _how_far(run: JobRun) -> str:
    return "" if run.percent is None else f"{run.percent} %"


JOBS = Listing(
    name="jobs",
    title=gettext_lazy("Jobs"),
    lede=gettext_lazy("What the system does for you in the background."),
    rows=runs_of,
    default_sort="-number",
    columns=[
        Column(
            "number",
            gettext_lazy("Number"),
            lambda run: run.pk,
            sort="pk",
            kind="number",
            link=lambda run: reverse("console:jobs_job", args=[run.pk]),
        ),
        Column("job", gettext_lazy("Job"), lambda run: title_of(run.name, language()), sort="name"),
        Column("state", gettext_lazy("State"), stamp, sort="state"),
        Column("progress", gettext_lazy("Progress"), _how_far, kind="amount"),
        Column("starter", gettext_lazy("Started by"), lambda run: run.starter, sort="starter"),
        Column("asked", gettext_lazy("Started"), lambda run: run.asked_at, sort="asked_at", kind="whole"),
        Column("ended", gettext_lazy("Ended"), lambda run: run.ended_at, sort="ended_at", kind="whole"),
    ],
    filters=[
        Select("state", gettext_lazy("State"), [(name, word) for name, (word, _tone) in STATES.items()], "state"),
        Select("job", gettext_lazy("Job"), _choices, "name"),
        Text("starter", gettext_lazy("Started by"), ("starter",)),
        Days("asked", gettext_lazy("Started"), "asked_at", moments=True),
    ],
    empty_title=gettext_lazy("No jobs"),
    empty_text=gettext_lazy("A long export, a check of the audit chain and the like appear here with their progress."),
)


@open_to_staff
@require_safe
def jobs(request: HttpRequest) -> HttpResponse:
    """The reader's own jobs; all of the scope for an administrator of jobs."""
    return show_list(request, JOBS)


@open_to_staff
@require_safe
def job(request: HttpRequest, number: int) -> HttpResponse:
    """One job. It stays current by itself, and by reloading without script."""
    return render(request, "console/jobs/job.html", _told(request.actor, run_of(request.actor, number)))


@open_to_staff
@require_safe
def progress(request: HttpRequest, number: int) -> HttpResponse:
    """The part of the page that moves; when the job is over the whole page is asked for again."""
    run = run_of(request.actor, number)
    response = render(request, "console/jobs/progress.html", _told(request.actor, run))
    if not run.alive:
        response.headers["HX-Refresh"] = "true"
    return response


@open_to_staff
@require_POST
def cancel(request: HttpRequest, number: int) -> HttpResponse:
    """Ask it to stop."""
    run = cancel_job(request.actor, run_id=number)
    told = _("The job stops at its next step.") if run.alive else _("The job was cancelled.")
    messages.success(request, told, extra_tags="good")
    return redirect("console:jobs_job", number)


@open_to_staff
@require_POST
def again(request: HttpRequest, number: int) -> HttpResponse:
    """Put it into the queue again."""
    run_job_again(request.actor, run_id=number)
    messages.success(request, _("The job is in the queue again."), extra_tags="good")
    return redirect("console:jobs_job", number)


def _told(actor: Actor, run: JobRun) -> dict[str, object]:
    tongue = ("zh", "zh_do") if in_chinese() else ("en", "en_do")
    failure = run.failure or {}
    verbs = RUN.verbs(run.state)
    page, may_open = RESULT_PAGES.get(run.name, ("", None))
    return {
        "run": run,
        "title": title_of(run.name, language()),
        "stamp": stamp(run),
        "note": run.note if in_chinese() else run.note_en,
        "failure": {"number": failure["number"], "text": failure[tongue[0]], "todo": failure[tongue[1]]}
        if failure
        else None,
        "may_cancel": "cancel" in verbs and run.cancel_asked_at is None,
        "may_run_again": "run_again" in verbs,
        "result": [(name, value) for name, value in (run.result or {}).items() if not isinstance(value, dict | list)],
        "result_page": reverse(page, args=[run.pk]) if may_open and run.result and may_open(actor, run) else None,
    }
