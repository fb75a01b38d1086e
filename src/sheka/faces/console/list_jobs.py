"""A long list becomes a file in the background: ordered from its page, made by the worker, fetched by its orderer."""

from __future__ import annotations

import base64
from importlib import import_module
from typing import Any

from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import override
from django.views.decorators.http import require_POST, require_safe

from sheka.faces.console.doors import open_to_staff, opens
from sheka.faces.console.list_files import LISTINGS, ORDER, download, file_name, make_file
from sheka.faces.console.words import language
from sheka.foundation.refusals import Code, Refused
from sheka.office.jobs.actions.start_job import start_job
from sheka.office.jobs.progress import Progress
from sheka.office.jobs.queries import run_of
from sheka.office.jobs.registry import job
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission

EXPORT = "list.export"
MOST = 50_000
"""Rows of a file: what an office can still look through, and a worker can hold."""
AN_HOUR = 3600


@job(EXPORT, title_zh="导出列表", title_en="Export of a list", permission=Permission.LIST_EXPORT)
def export(actor: Actor, progress: Progress, *, listing: str, values: dict[str, str], tongue: str) -> dict[str, Any]:
    """The file of a list with the filters of its page. Raises Refused: LIST_TOO_LONG, LIST_UNKNOWN."""
    import_module("sheka.faces.console.urls")  # every topic declares its lists
    if listing not in LISTINGS:
        raise Refused(Code.LIST_UNKNOWN, list=listing)
    found = LISTINGS[listing]
    with override(tongue):
        content = make_file(
            actor, found, values, MOST, lambda done: progress(done, None, ("写入数据行", "writing rows"))
        )
        return {"name": file_name(found), "bytes": len(content), "file": base64.b64encode(content).decode()}


@opens(Permission.LIST_EXPORT)
@require_POST
def order(request: HttpRequest) -> HttpResponse:
    """Have the file made. What is ordered was signed by the page of the list, which its reader may open."""
    try:
        asked = signing.loads(request.POST.get("order", ""), salt=ORDER, max_age=AN_HOUR)
    except signing.BadSignature:
        raise Refused(Code.LIST_UNKNOWN, list="") from None
    if asked["staff"] != request.actor.staff_id:
        raise Refused(Code.LIST_UNKNOWN, list=asked["listing"])
    run = start_job(request.actor, EXPORT, listing=asked["listing"], values=asked["values"], tongue=language())
    return redirect("console:jobs_job", run.pk)


@open_to_staff
@require_safe
def fetch(request: HttpRequest, number: int) -> HttpResponse:
    """The file, for who ordered it."""
    run = run_of(request.actor, number)
    if run.name != EXPORT or not run.result or run.staff_id != request.actor.staff_id:
        raise Http404
    return download(base64.b64decode(run.result["file"]), run.result["name"])
