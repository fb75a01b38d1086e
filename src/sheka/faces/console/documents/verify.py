"""The page behind the QR code of a paper: open to everybody who holds one, and the same for every code."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from sheka.faces.console.documents.forms import CodeOfPaperForm
from sheka.faces.console.doors import open_to_all
from sheka.faces.console.telling import Told, told
from sheka.faces.console.visits import visit_of
from sheka.faces.console.words import in_chinese, language
from sheka.foundation.refusals import Refused
from sheka.office.documents.verifying import Verified, verify_code


@open_to_all
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: HttpRequest, code: str = "") -> HttpResponse:
    """Asks for a code, or says what is known about one. Status 200 whether the code is known or not."""
    form = CodeOfPaperForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return redirect("console:documents_verify_code", code=form.cleaned_data["code"].replace("/", "-"))
    context: dict[str, Any] = {"form": form, "asked": bool(code), "code": code[:40]}
    status = 422 if form.errors else 200
    if code:
        try:
            context |= _answer(verify_code(code, visit_of(request).address))
        except Refused as refusal:
            problem: Told = told(refusal)
            context["problem"], context["asked"], status = problem, False, refusal.http
    response = render(request, "console/documents/verify.html", context, status=status)
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


def _answer(found: Verified | None) -> dict[str, Any]:
    """The same rows for every code; a code that is not known has nothing in them."""
    if found is None:
        return {"verdict": "unknown", "found": None, "title": "", "place": "", "facts": []}
    first = 0 if in_chinese() else 1
    return {
        "verdict": "valid" if found.valid else "void",
        "found": found,
        "title": (found.title_zh, found.title_en)[first],
        "place": found.organisation.label(language()),
        "facts": [(row[first], row[2 + first]) for row in found.shown],
    }
