"""Documents on the console: the list of the organisation, those of one subject, keeping, and looking at one."""

from __future__ import annotations

import base64
from typing import Any, NamedTuple
from urllib.parse import quote

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sheka.faces.console.documents.forms import KeepForm, PurposeForm
from sheka.faces.console.documents.lists import DOCUMENTS
from sheka.faces.console.documents.part import subject_context
from sheka.faces.console.doors import opens
from sheka.faces.console.headers import NO_DEVICES
from sheka.faces.console.lists import show_list
from sheka.faces.console.telling import Told, told
from sheka.faces.console.words import language
from sheka.foundation.refusals import Code, Refused
from sheka.office.documents.actions.keep_document import keep_document
from sheka.office.documents.actions.view_document import Viewed, view_document
from sheka.office.documents.kinds import Kind, kinds_for
from sheka.office.documents.models import Document
from sheka.office.documents.queries import document_numbered, paper_of
from sheka.office.documents.subjects import must_reach
from sheka.office.jobs.actions.start_job import start_job
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission

MOST_FILES = 20
CAMERA = NO_DEVICES.replace("camera=()", "camera=(self)")
SANDBOX = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"
"""What the file itself may do in a browser that opens it: nothing."""


class Outcome(NamedTuple):
    """What became of one file: the document, or the refusal."""

    name: str
    document: Document | None
    problem: Told | None


@opens(Permission.DOCUMENT_VIEW)
@require_safe
def documents(request: HttpRequest) -> HttpResponse:
    """Every document of the organisation that the reader acts for."""
    may_dispose = request.actor.may(Permission.DOCUMENT_DISPOSE)
    return show_list(request, DOCUMENTS, "console/documents/list.html", may_dispose=may_dispose)


@opens(Permission.DOCUMENT_DISPOSE)
@require_POST
def dispose(request: HttpRequest) -> HttpResponse:
    """Dispose of what was kept as long as its kind says, as a job with its own page."""
    return redirect("console:jobs_job", start_job(request.actor, "documents.dispose").pk)


@opens(Permission.DOCUMENT_VIEW, Permission.DOCUMENT_KEEP)
@require_safe
def about(request: HttpRequest, subject: str) -> HttpResponse:
    """The documents of one subject, the papers that can be made of it."""
    found = subject_context(request.actor, subject)
    return render(request, "console/documents/about.html", found | {"documents": found})


@opens(Permission.DOCUMENT_KEEP)
@require_http_methods(["GET", "HEAD", "POST"])
def keep(request: HttpRequest, subject: str) -> HttpResponse:
    """Send files or take pictures. With script each file is sent by itself and answered with its line."""
    actor, kinds = request.actor, kinds_for(subject)
    kind = must_reach(actor, subject)
    if not kinds:
        raise Refused(Code.DOCUMENT_KIND, kind="", subject=kind.title)
    chosen = request.GET.get("kind") if any(one.name == request.GET.get("kind") for one in kinds) else None
    given = {"files": request.FILES.getlist("files")[:MOST_FILES]} if request.method == "POST" else None
    form = KeepForm(request.POST or None, given, kinds=kinds, initial={"kind": chosen})
    outcomes: list[Outcome] = []
    if request.method == "POST" and form.is_valid():
        outcomes = [_kept(actor, form.cleaned_data["kind"], subject, file) for file in form.cleaned_data["files"]]
        if request.htmx:
            return _line(request, outcomes)
        if all(outcome.document for outcome in outcomes):
            number = len(outcomes)
            said = ngettext("%(n)s document kept", "%(n)s documents kept", number) % {"n": number}
            messages.success(request, said, extra_tags="good")
            return redirect("console:documents_about", subject=subject)
    context = subject_context(actor, subject) | {"form": form, "outcomes": outcomes, "kinds": rules(kinds)}
    failed = form.errors or any(outcome.problem for outcome in outcomes)
    response = render(request, "console/documents/keep.html", context, status=422 if failed else 200)
    response.headers["Permissions-Policy"] = CAMERA
    return response


@opens(Permission.DOCUMENT_VIEW)
@require_http_methods(["GET", "HEAD", "POST"])
def document(request: HttpRequest, number: int) -> HttpResponse:
    """What is known about a document; its content after the purpose, shown here when it is a picture."""
    actor = request.actor
    found = document_numbered(actor, number)
    must_reach(actor, found.subject)
    form, viewed, problem = PurposeForm(request.POST or None), None, None
    if request.method == "POST" and form.is_valid():
        try:
            viewed = view_document(actor, number, form.cleaned_data["text"])
        except Refused as refusal:
            problem = refusal
        else:
            if request.POST.get("as") == "file" or not found.is_picture:
                return _file(viewed)
    context = subject_context(actor, found.subject) | {
        "document": found,
        "title": found.title.text(language()),
        "paper": paper_of(found),
        "form": form,
        "picture": _inside(viewed) if viewed else "",
        "problem": told(problem) if problem else None,
        "may_void": actor.may(Permission.PAPER_VOID),
    }
    status = problem.http if problem else 422 if form.errors else 200
    return render(request, "console/documents/document.html", context, status=status)


def rules(kinds: list[Kind]) -> list[dict[str, Any]]:
    """What the page says of each kind, and tells the camera."""
    tongue = language()
    return [
        {
            "name": kind.name,
            "title": kind.title.text(tongue),
            "accepted": kind.accepted,
            "megabytes": max(1, kind.max_kb // 1024),
            "bytes": kind.max_bytes,
            "pages": kind.max_pages if "pdf" in kind.types else 0,
            "photo": f"{kind.photo[0]}×{kind.photo[1]}" if kind.photo else "",
            "camera": kind.camera,
            "years": kind.years,
        }
        for kind in kinds
    ]


def _kept(actor: Actor, kind: str, subject: str, file: Any) -> Outcome:
    name = str(file.name)[:80]
    try:
        kept = keep_document(actor, kind=kind, subject=subject, filename=str(file.name), content=file.read())
    except Refused as refusal:
        return Outcome(name, None, told(refusal))
    return Outcome(kept.label, kept, None)


def _line(request: HttpRequest, outcomes: list[Outcome]) -> HttpResponse:
    """What the script puts into the list of the page."""
    failed = [outcome.problem for outcome in outcomes if outcome.problem]
    return render(request, "console/documents/outcomes.html", {"outcomes": outcomes}, status=422 if failed else 200)


def _file(viewed: Viewed) -> HttpResponse:
    """The file itself, to be saved: never opened in the console's own origin."""
    document = viewed.document
    response = HttpResponse(viewed.content, content_type=document.media_type)
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(document.label, safe='')}"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = SANDBOX
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


def _inside(viewed: Viewed) -> str:
    """A picture as the address of an <img>: it is on this page and nowhere else."""
    return f"data:{viewed.document.media_type};base64,{base64.b64encode(viewed.content).decode()}"
