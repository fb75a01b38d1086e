"""One transaction (S4, S10): what was asked and answered, its chain, its seal, its messages field by field."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from sheka.faces.console.doors import opens
from sheka.faces.console.forms import ReasonForm
from sheka.faces.console.psams.words import said
from sheka.faces.console.telling import told
from sheka.faces.console.transactions.links import links_of
from sheka.faces.console.transactions.lists import address, outcome
from sheka.faces.console.words import language
from sheka.foundation.numbers import mask_card_number
from sheka.foundation.refusals import Refused
from sheka.office.audit.reads import read_recorded
from sheka.office.staff.permissions import Permission
from sheka.systems.transactions.actions.reveal_messages import reveal_messages
from sheka.systems.transactions.anchors import proof_for
from sheka.systems.transactions.labels import KINDS, SCHEMES
from sheka.systems.transactions.models import Transaction
from sheka.systems.transactions.queries_of_chain import chain_of, seal_of, transaction_numbered
from sheka.systems.transactions.queries_of_messages import Frame, Message, messages_of
from sheka.systems.transactions.readings import refusal_said
from sheka.systems.transactions.response_codes import response_code


def _found(request: HttpRequest, day: int, number: int) -> Transaction:
    try:
        when = datetime.strptime(f"{day:08d}", "%Y%m%d").date()  # noqa: DTZ007 - a business date has no zone
    except ValueError:
        raise Http404 from None
    found = transaction_numbered(request.actor, when, number)
    if found is None:
        raise Http404
    return found


@opens(Permission.TRANSACTION_VIEW)
@require_safe
def one(request: HttpRequest, day: int, number: int) -> HttpResponse:
    """The page of a transaction; `?proof=1` computes the path from its seal to the root in the audit chain."""
    found = _found(request, day, number)
    read_recorded(request.actor, "transaction.viewed", f"transaction:{found.id}")
    context: dict[str, Any] = {
        **_head(found),
        "chain": [_step(row, found) for row in chain_of(request.actor, found)],
        "seal": seal_of(found),
        "asked_proof": "proof" in request.GET,
        "proof": proof_for(found) if "proof" in request.GET else None,
        "links": links_of(request.actor, found),
        "may_read": request.actor.may(Permission.MESSAGE_VIEW),
        "may_reveal": request.actor.may(Permission.MESSAGE_REVEAL),
    }
    if context["may_read"]:
        context["messages_shown"] = shown(_messages(request, found))
    return render(request, "console/transactions/transaction.html", context)


@opens(Permission.MESSAGE_REVEAL)
@require_http_methods(["GET", "HEAD", "POST"])
def whole(request: HttpRequest, day: int, number: int) -> HttpResponse:
    """The messages with whole numbers, once it is said for what."""
    found = _found(request, day, number)
    form, problem, status = ReasonForm(request.POST if request.method == "POST" else None), None, 200
    context = {**_head(found), "form": form, "asks": gettext("For what purpose? It is recorded.")}
    if request.method == "POST" and form.is_valid():
        try:
            messages = reveal_messages(
                request.actor,
                terminal=found.terminal.number,
                business_date=found.business_date,
                stan=found.stan,
                purpose=form.cleaned_data["text"],
            )
        except Refused as refusal:
            problem, status = told(refusal), refusal.http
        else:
            context |= {"messages_shown": shown(messages), "purpose": form.cleaned_data["text"]}
    status = 422 if form.errors else status
    return render(request, "console/transactions/whole.html", {**context, "problem": problem}, status=status)


def _messages(request: HttpRequest, found: Transaction) -> list[Message]:
    return messages_of(request.actor, found.terminal.number, found.business_date, found.stan)


def _head(found: Transaction) -> dict[str, Any]:
    return {
        "transaction": found,
        "address": address(found),
        "kind": said(KINDS[found.kind]),
        "stamp": outcome(found),
        "code": response_code(found.refusal),
        "refusal": said(refusal_said(found.refusal)) if found.refusal else "",
        "card": mask_card_number(found.card_number),
        "scheme": said(SCHEMES[found.scheme]) if found.scheme in SCHEMES else found.scheme,
        "time": f"{found.local_time // 10000:02d}:{found.local_time // 100 % 100:02d}:{found.local_time % 100:02d}",
    }


def _step(row: Transaction, here: Transaction) -> dict[str, Any]:
    return {
        "row": row,
        "kind": said(KINDS[row.kind]),
        "stamp": outcome(row),
        "refusal": said(refusal_said(row.refusal)) if row.refusal else "",
        "address": "" if row.id == here.id else address(row),
        "mark": "now" if row.id == here.id else "bad" if row.refusal else "done",
    }


def shown(messages: list[Message]) -> list[dict[str, Any]]:
    """Messages for the template: every word in the reader's language, request and answer side by side."""
    tongue = language()
    return [
        {
            "message": one,
            "time": timezone.localtime(one.came_at).strftime("%Y-%m-%d %H:%M:%S.%f"),
            "said": one.said.text(tongue),
            "code": "" if one.refusal is None else response_code(one.refusal),
            "tone": "wait" if one.refusal is None else "stop" if one.refusal else "good",
            "request": _frame(one.request, tongue),
            "answer": _frame(one.answer, tongue) if one.answer else None,
            "milliseconds": None if one.microseconds is None else f"{one.microseconds / 1000:,.1f}",
            "rows": [
                {"number": number, "name": name.text(tongue), "cells": [_cell(asked, tongue), _cell(told_, tongue)]}
                for number, name, asked, told_ in one.rows
            ],
        }
        for one in messages
    ]


def _frame(frame: Frame, tongue: str) -> dict[str, Any]:
    return {"type": frame.type, "title": frame.title.text(tongue), "whole": frame.whole, "size": frame.size}


def _cell(field: Any, tongue: str) -> dict[str, Any] | None:
    if field is None:
        return None
    tags = [{"tag": tag.tag, "name": tag.name.text(tongue), "value": tag.value} for tag in field.tags]
    return {"value": field.value.rstrip(), "meaning": field.meaning.text(tongue), "tags": tags}
