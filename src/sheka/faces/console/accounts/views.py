"""Accounts: list, the page of one with its entries and what is held, its verbs, corrections (S6)."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from sheka.faces.console.accounts.forms import CorrectionForm, LatePaymentForm, OrderedForm
from sheka.faces.console.accounts.verbs import VERBS, Verb, offered_to
from sheka.faces.console.accounts.words import choices, others, said
from sheka.faces.console.documents.part import subject_context
from sheka.faces.console.doors import opens
from sheka.faces.console.lists import Column, Days, Listing, Select, Stamp, Text, show_list
from sheka.faces.console.telling import told
from sheka.faces.console.templatetags.look import masked, named
from sheka.faces.console.words import language
from sheka.foundation.money import format_yuan
from sheka.foundation.numbers import mask_person_number
from sheka.foundation.refusals import Code, Refused
from sheka.office.approvals.models import Proposal
from sheka.office.approvals.queries import readable_by
from sheka.office.approvals.seats import place_term
from sheka.office.staff.permissions import Permission
from sheka.systems.accounts.actions.change_state import release_amount
from sheka.systems.accounts.actions.correct_posting import left_of, original_of, propose_correction
from sheka.systems.accounts.actions.pay_late_money import payees_of_end, propose_late_payment
from sheka.systems.accounts.labels import (
    ACCOUNT_KINDS,
    ACCOUNT_STATES,
    ENDINGS,
    HELD_KINDS,
    KINDS,
    LATE_STATES,
    LATE_TONES,
    MOVING_STATES,
    MOVING_TONES,
    STATE_TONES,
)
from sheka.systems.accounts.models import OF_THE_SWITCH, Account, EntryKind
from sheka.systems.accounts.payees import heirs_told, masked_account
from sheka.systems.accounts.queries import balance, statement
from sheka.systems.accounts.queries_of_pages import (
    account_reached,
    account_viewed,
    accounts_listed,
    endings_of,
    freezes_of,
    held_on,
    late_money_of,
    late_money_reached,
    lines_of,
    movings_of,
    payout_named,
    payouts_of,
)

ROWS = 25
HEIR_ROWS = (4, 8, 12, 20)


def _state(row: Account) -> Stamp:
    return Stamp(said(ACCOUNT_STATES[row.state]), STATE_TONES[row.state])


def _holder(row: Account) -> str:
    return row.person.name if row.person else row.party


def _person(row: Account) -> object:
    return masked(mask_person_number(row.person.social_security_number)) if row.person else None


ACCOUNTS = Listing(
    name="accounts",
    title=_("Accounts"),
    lede=_("Find a holder by name or number in the search above; person numbers are masked here."),
    caption=_("Person numbers are masked; opening an account is recorded."),
    rows=accounts_listed,
    default_sort="number",
    columns=[
        Column(
            "number",
            _("Account number"),
            lambda row: row.number,
            sort="number",
            kind="number",
            link=lambda row: reverse("console:accounts_one", args=[row.number]),
        ),
        Column("holder", _("Holder or party"), _holder, sort=("person__name", "party"), kind="whole"),
        Column("kind", pgettext_lazy("accounts", "Kind"), lambda row: said(ACCOUNT_KINDS[row.kind]), sort="kind"),
        Column("state", _("State"), _state, sort="state"),
        Column("person", _("Social security number"), _person, kind="number"),
        Column("balance", _("Balance"), lambda row: row.balance, sort="balance", kind="money"),
        Column("held", _("Held"), lambda row: row.held or None, sort="held", kind="money"),
        Column("place", _("Organisation"), lambda row: named(row.organisation), sort="organisation__path"),
    ],
    filters=[
        Select("kind", pgettext_lazy("accounts", "Kind"), choices(ACCOUNT_KINDS), "kind", all=_("All kinds")),
        Select("state", _("State"), choices(ACCOUNT_STATES), "state", all=_("All states")),
        Text("number", _("Account number"), ("number",), "startswith"),
        Days("opened", pgettext_lazy("accounts", "Opened"), "opened_at", moments=True),
    ],
    empty_title=_("No accounts"),
    empty_text=_("An account appears here when it is opened."),
    personal=True,
)


@opens(Permission.ACCOUNT_VIEW)
@require_safe
def accounts(request: HttpRequest) -> HttpResponse:
    """Accounts of the reader's organisation and those below it."""
    return show_list(request, ACCOUNTS)


@opens(Permission.ACCOUNT_VIEW)
@require_safe
def one(request: HttpRequest, number: str) -> HttpResponse:
    """One account: who holds it, what it has, what is held, its entries, what was asked about it."""
    actor = request.actor
    account = account_viewed(actor, number)
    if account is None:
        raise Refused(Code.ACCOUNT_UNKNOWN, account=number)
    page = Paginator(statement(account), ROWS).get_page(request.GET.get("page"))
    lines = lines_of(account, list(page.object_list))
    beside = others(lines)
    may_correct = actor.may(Permission.ACCOUNT_CORRECT) and actor.reaches(account.organisation)
    entries = [
        {
            "line": line,
            "kind": said(KINDS[line.entry.kind]),
            "other": beside.get(line.entry.posting_id, ""),
            "correctable": may_correct
            and line.entry.kind not in (*OF_THE_SWITCH, EntryKind.CORRECTION)
            and line.taken_back < abs(line.entry.amount),
        }
        for line in lines
    ]
    freezes = list(freezes_of(account))
    by_pending = {row.pending: row for row in freezes if row.pending}
    held = [(said(HELD_KINDS[row.pending.kind]), row, by_pending.get(row.pending_id)) for row in held_on(account)]
    running = readable_by(actor).filter(subject=f"account:{number}", state__in=("open", "returned", "approved"))
    context: dict[str, Any] = {
        "account": account,
        "holder": _holder(account),
        "person": _person(account),
        "kind": said(ACCOUNT_KINDS[account.kind]),
        "state": _state(account),
        "balance": balance(account),
        "available": account.available,
        "keeps_balance": account.balance is not None,
        "verbs": offered_to(actor, account),
        "page": page,
        "entries": entries,
        "held": held,
        "moments": _moments(account, freezes),
        "requests": [(one, one.matter.told_apart(one.payload, request.LANGUAGE_CODE)) for one in running],
        "payouts": payouts_of(account),
        "movings": [
            (row, said(place_term(row.other)), Stamp(said(MOVING_STATES[row.state]), MOVING_TONES[row.state]))
            for row in movings_of(account)
        ],
        "lates": [(row, Stamp(said(LATE_STATES[row.state]), LATE_TONES[row.state])) for row in late_money_of(account)],
        "may_release": actor.may(Permission.ACCOUNT_FREEZE) and actor.reaches(account.organisation),
    }
    if actor.may(Permission.DOCUMENT_VIEW) and account.person_id:
        context["documents"] = subject_context(actor, f"account:{number}")
    return render(request, "console/accounts/account.html", context)


@opens(Permission.ACCOUNT_VIEW)
@require_http_methods(["GET", "HEAD", "POST"])
def verb(request: HttpRequest, number: str, verb: str) -> HttpResponse:
    """Ask for what the verb needs, then carry it out, or put it before a second person."""
    if verb not in VERBS:
        raise Http404
    what, actor = VERBS[verb], request.actor
    actor.require(what.needs)
    account = account_reached(actor, number)
    options = _options(request, verb, account)
    form = what.form(request.POST if request.method == "POST" else None, **options)
    problem, status = None, 200
    if request.method == "POST" and form.is_valid():
        try:
            made = what.act(actor, number, form)
        except Refused as refusal:
            problem, status = told(refusal), refusal.http
        else:
            return _done(request, what, made, number)
    context = {
        "account": account,
        "holder": _holder(account),
        "state": _state(account),
        "what": what,
        "form": form,
        "problem": problem,
        "heirs": form.heirs() if verb == "inherit" else None,
        "rows": [n for n in HEIR_ROWS if n != form.rows] if verb == "inherit" else None,
        "documents": subject_context(actor, f"account:{number}")
        if verb == "inherit" and actor.may(Permission.DOCUMENT_VIEW)
        else None,
    }
    return render(request, "console/accounts/verb.html", context, status=422 if form.errors else status)


@opens(Permission.ACCOUNT_CORRECT)
@require_http_methods(["GET", "HEAD", "POST"])
def correct(request: HttpRequest, number: str, posting: int) -> HttpResponse:
    """Ask to take back a posting, wholly or in part."""
    actor = request.actor
    account = account_reached(actor, number)
    original = original_of(number, posting)
    left = left_of(original)
    initial = {"amount": f"{left / 100:.2f}"}
    form, problem, status = CorrectionForm(request.POST or None, initial=initial), None, 200
    if request.method == "POST" and form.is_valid():
        try:
            made = propose_correction(actor, account=number, posting=posting, **form.cleaned_data)
        except Refused as refusal:
            problem, status = told(refusal), refusal.http
        else:
            messages.success(request, gettext("The request waits for a second person."), extra_tags="good")
            return redirect("console:approvals_one", made.pk)
    context = {
        "account": account,
        "holder": _holder(account),
        "original": original,
        "kind": said(KINDS[original.kind]),
        "left": left,
        "form": form,
        "problem": problem,
    }
    return render(request, "console/accounts/correct.html", context, status=422 if form.errors else status)


@opens(Permission.ACCOUNT_FREEZE)
@require_http_methods(["GET", "HEAD", "POST"])
def release(request: HttpRequest, number: str, freeze: int) -> HttpResponse:
    """Release a frozen amount."""
    actor = request.actor
    account = account_reached(actor, number)
    row = freezes_of(account).filter(pk=freeze, pending__isnull=False).first()
    if row is None:
        raise Refused(Code.FREEZE_UNKNOWN, freeze=freeze)
    form, problem, status = OrderedForm(request.POST or None), None, 200
    if request.method == "POST" and form.is_valid():
        try:
            release_amount(actor, freeze=freeze, **form.cleaned_data)
        except Refused as refusal:
            problem, status = told(refusal), refusal.http
        else:
            messages.success(request, gettext("The amount is released."), extra_tags="good")
            return redirect("console:accounts_one", number=number)
    context = {"account": account, "holder": _holder(account), "freeze": row, "form": form, "problem": problem}
    return render(request, "console/accounts/release.html", context, status=422 if form.errors else status)


@opens(Permission.ACCOUNT_VIEW)
@require_safe
def payout(request: HttpRequest, number: str) -> HttpResponse:
    """One payment out, the bank account masked, with its paper."""
    row = payout_named(request.actor, number)
    context = {
        "payout": row,
        "reason": said(ENDINGS[row.reason]),
        "bank_account": masked_account(row.bank_account),
        "holder": _holder(row.account),
    }
    if request.actor.may(Permission.DOCUMENT_VIEW):
        context["documents"] = subject_context(request.actor, row.subject)
    return render(request, "console/accounts/payout.html", context)


@opens(Permission.ACCOUNT_VIEW)
@require_http_methods(["GET", "HEAD", "POST"])
def late(request: HttpRequest, late: int) -> HttpResponse:
    """Money that came to an account after its end: what it is, and the request to pay it."""
    actor = request.actor
    row = late_money_reached(actor, late)
    payees = payees_of_end(row)
    may_pay = row.state == "waiting" and actor.may(Permission.ACCOUNT_MOVE) and actor.reaches(row.organisation)
    if request.method == "POST":
        actor.require(Permission.ACCOUNT_MOVE)
    form = LatePaymentForm(request.POST if request.method == "POST" else None, known=bool(payees))
    problem, status = None, 200
    if request.method == "POST" and form.is_valid():
        try:
            made = propose_late_payment(actor, late=row.pk, **form.cleaned_data)
        except Refused as refusal:
            problem, status = told(refusal), refusal.http
        else:
            messages.success(request, gettext("The request waits for a second person."), extra_tags="good")
            return redirect("console:approvals_one", made.pk)
    context = {
        "late": row,
        "account": row.account,
        "holder": _holder(row.account),
        "state": Stamp(said(LATE_STATES[row.state]), LATE_TONES[row.state]),
        "payees": said(heirs_told(payees)) if payees else "",
        "form": form if may_pay else None,
        "problem": problem,
    }
    return render(request, "console/accounts/late.html", context, status=422 if form.errors else status)


def _options(request: HttpRequest, verb: str, account: Account) -> dict[str, Any]:
    """What a verb's form wants to know."""
    if verb == "move":
        return {"home": account.organisation_id}
    if verb == "inherit":
        wanted = request.GET.get("heirs", "")
        return {"rows": int(wanted) if wanted in map(str, HEIR_ROWS) else HEIR_ROWS[0]}
    return {}


def _done(request: HttpRequest, what: Verb, made: object, number: str) -> HttpResponse:
    if isinstance(made, Proposal):
        messages.success(request, gettext("The request waits for a second person."), extra_tags="good")
        return redirect("console:approvals_one", made.pk)
    messages.success(request, gettext("Done: %(verb)s") % {"verb": what.word}, extra_tags="good")
    return redirect("console:accounts_one", number=number)


def _moments(account: Account, freezes: list[Any]) -> list[dict[str, Any]]:
    """The life line of the account, the latest first."""
    found = [{"at": account.opened_at, "title": pgettext("accounts", "Opened"), "who": "", "tone": "done"}]
    for row in freezes:
        amount = format_yuan(row.amount, language()) if row.amount else ""
        title = gettext("%(amount)s frozen") % {"amount": amount} if amount else gettext("Frozen")
        found.append({"at": row.at, "title": title, "who": f"{row.reason} · {row.document} · {row.by}", "tone": "bad"})
        if row.released_at:
            title = gettext("%(amount)s released") % {"amount": amount} if amount else gettext("Released")
            who = f"{row.release_reason} · {row.release_document} · {row.released_by}"
            found.append({"at": row.released_at, "title": title, "who": who, "tone": "done"})
    for end in endings_of(account):
        title = gettext("Ended: %(how)s, %(amount)s") % {
            "how": said(ENDINGS[end.kind]),
            "amount": format_yuan(end.amount, language()),
        }
        found.append({"at": end.at, "title": title, "who": f"{end.reason} · {end.document} · {end.by}", "tone": "done"})
    if account.closed_at:
        found.append({"at": account.closed_at, "title": pgettext_lazy("accounts", "Closed"), "who": "", "tone": "done"})
    return sorted(found, key=lambda moment: moment["at"], reverse=True)
