"""One form, one action: asked for on a page of its own, a refusal told beside what was typed (K5-K7)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise

from sheka.faces.console.account.confirm import confirm
from sheka.faces.console.telling import told
from sheka.foundation.refusals import Refused

Words = str | Promise


@dataclass(frozen=True, slots=True)
class Crumb:
    """A page above this one."""

    title: Words
    address: str


@dataclass(frozen=True, slots=True)
class Question:
    """A page that asks. `lede`: a sentence over the form. `digest`: what presence is proved for before it is done, and
    `about` what that page says. `danger`: the button stops or destroys something. `note` may hold a table of facts.
    """

    title: Words
    button: Words
    done: Words
    crumbs: tuple[Crumb, ...]
    lede: Words = ""
    danger: bool = False
    digest: str = ""
    about: Words = ""


def ask(
    request: HttpRequest,
    question: Question,
    form: Any,
    act: Callable[[Any], object],
    to: Callable[[Any], str],
    **context: Any,
) -> HttpResponse:
    """The form; or, when it was sent and fits, the page that proves presence, or what `act` does and the way to `to`.

    `act` is given the form's clean values; `to` what `act` returned.
    """
    problem, status = None, 200
    if request.method == "POST" and form.is_valid():
        page = confirm(request, question.digest, question.about) if question.digest else None
        if page is not None:
            return page
        try:
            made = act(form.cleaned_data)
        except Refused as refusal:
            problem, status = told(refusal), refusal.http
        else:
            messages.success(request, question.done, extra_tags="good")
            return redirect(to(made))
    seen = {"question": question, "form": form, "problem": problem, **context}
    return render(request, "console/custody/ask.html", seen, status=422 if form.errors else status)


def sent(request: HttpRequest) -> Any:
    """What was posted, for a form; None when the page was only opened."""
    return request.POST if request.method == "POST" else None
