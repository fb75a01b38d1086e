"""PSAMs: stock, orders, where they are, one with its life line and use, and its verbs (K8)."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from sheka.faces.console.doors import opens
from sheka.faces.console.lists import Column, Listing, Select, Stamp, Text, show_list
from sheka.faces.console.psams.forms import OrderForm
from sheka.faces.console.psams.pictures import CHART_HEIGHT, CHART_WIDTH, FOOT, GROUPS, bars_of, tiles_of
from sheka.faces.console.psams.verbs import VERBS_HERE, offered_to
from sheka.faces.console.psams.words import choices, said
from sheka.faces.console.telling import told
from sheka.faces.console.templatetags.look import named
from sheka.foundation.refusals import Refused
from sheka.office.staff.permissions import Permission
from sheka.systems.custody.actions.order_carriers import order_carriers
from sheka.systems.custody.labels import ORDER_STATES
from sheka.systems.custody.labels import STATES as CARRIER_STATES
from sheka.systems.custody.labels import TONES as CARRIER_TONES
from sheka.systems.custody.models import CarrierOrder
from sheka.systems.psams.labels import FORMS, LEVELS, MODES, STATES, TONES, VERBS
from sheka.systems.psams.models import Psam
from sheka.systems.psams.queries import (
    carrier_of,
    counts_by_state,
    life_of,
    map_of,
    orders_of_psams,
    psam_named,
    psams_of,
    silent,
    use_of,
)
from sheka.systems.transactions.queries_of_blocks import blocks_on_psam, last_uses

ORDER_TONES = {"asked": "wait", "approved": "info", "refused": "stop", "issued": "good"}


def _state(row: Psam) -> Stamp:
    return Stamp(said(STATES[row.standing]), TONES[row.standing])


def _order_state(row: CarrierOrder) -> Stamp:
    return Stamp(said(ORDER_STATES[row.state]), ORDER_TONES[row.state])


def _with_last_use(rows: list[Psam], actor: object) -> None:
    seen = last_uses([row.serial for row in rows])
    for row in rows:
        row.last_use = seen.get(row.serial)  # type: ignore[attr-defined]


STOCK = Listing(
    name="psams",
    title=_("PSAM stock"),
    lede=_("Security modules of terminals: issued by the ministry, loaded here, one for one terminal."),
    rows=psams_of,
    default_sort="serial",
    gather=_with_last_use,
    columns=[
        Column(
            "serial",
            _("PSAM serial"),
            lambda row: row.serial,
            sort="serial",
            kind="number",
            link=lambda row: reverse("console:psams_one", args=[row.serial]),
        ),
        Column("state", _("State"), _state, sort="state"),
        Column("keys", _("Keys on it"), lambda row: said(LEVELS[row.level]), sort="level"),
        Column("terminal", _("Its terminal"), lambda row: row.terminal, sort="terminal", kind="number"),
        Column("institution", _("Its institution"), lambda row: row.institution, sort="institution", kind="number"),
        Column("seen", _("Last seen"), lambda row: row.last_use.seen_at if row.last_use else None, kind="whole"),
    ],
    filters=[
        Select("state", _("State"), choices(STATES), "state", all=_("All states")),
        Text("serial", _("PSAM serial"), ("serial",), "startswith"),
        Text("terminal", _("Its terminal"), ("terminal",), "startswith"),
    ],
    empty_title=_("No PSAMs"),
    empty_text=_("A PSAM appears here when its hand-over from the ministry is complete."),
)

ORDERS = Listing(
    name="psam-orders",
    title=_("Orders of PSAMs"),
    lede=_("Only the ministry issues PSAMs (K5). An order goes through the province."),
    rows=orders_of_psams,
    default_sort="-at",
    columns=[
        Column("number", _("Order number"), lambda row: row.number, sort="number", kind="number"),
        Column("origin", _("Ordered by"), lambda row: named(row.organisation), sort="origin"),
        Column(
            "state", _("State"), lambda row: Stamp(said(ORDER_STATES[row.state]), ORDER_TONES[row.state]), sort="state"
        ),
        Column("count", _("PSAMs ordered"), lambda row: row.count, sort="count", kind="amount"),
        Column("issued", _("PSAMs issued"), lambda row: row.issued, sort="issued", kind="amount"),
        Column("purpose", _("Used for"), lambda row: row.purpose),
        Column("at", _("Ordered at"), lambda row: row.at, sort="at", kind="whole"),
    ],
    filters=[Select("state", _("State"), choices(ORDER_STATES), "state", all=_("All states"))],
    empty_title=_("No orders of PSAMs"),
    empty_text=_("An order appears here when it is put before the ministry."),
)


@opens(Permission.PSAM_VIEW)
@require_safe
def stock(request: HttpRequest) -> HttpResponse:
    """The register with what stands out."""
    counts = counts_by_state(request.actor)
    shown = [(said(STATES[state]), TONES[state], counts[state]) for state in STATES if state in counts]
    context = {"counts": shown, "silent": silent(request.actor)}
    return show_list(request, STOCK, "console/psams/stock.html", **context)


@opens(Permission.PSAM_VIEW)
@require_safe
def orders(request: HttpRequest) -> HttpResponse:
    """Orders as this organisation holds them."""
    return show_list(
        request, ORDERS, "console/psams/orders.html", may_order=request.actor.may(Permission.CARRIER_ORDER)
    )


@opens(Permission.CARRIER_ORDER)
@require_http_methods(["GET", "HEAD", "POST"])
def order(request: HttpRequest) -> HttpResponse:
    """Order PSAMs of the ministry."""
    form, problem, status = OrderForm(request.POST or None), None, 200
    if request.method == "POST" and form.is_valid():
        try:
            made = order_carriers(request.actor, kind="psam", **form.cleaned_data)
        except Refused as refusal:
            problem, status = told(refusal), refusal.http
        else:
            messages.success(request, gettext("Order sent: %(number)s") % {"number": made.number}, extra_tags="good")
            return redirect("console:psams_orders" if request.actor.may(Permission.PSAM_VIEW) else "console:overview")
    context = {"form": form, "problem": problem}
    return render(request, "console/psams/order.html", context, status=422 if form.errors else status)


@opens(Permission.PSAM_VIEW)
@require_safe
def places(request: HttpRequest) -> HttpResponse:
    """Where the PSAMs are: tiles of the regions, and the same as a table."""
    tiles, width, height = tiles_of(map_of(request.actor))
    total = sum(tile.total for tile in tiles)
    context = {
        "tiles": tiles,
        "width": width,
        "height": height,
        "groups": [(tone, said(word)) for tone, word, _states in GROUPS],
        "total": total,
    }
    return render(request, "console/psams/map.html", context)


@opens(Permission.PSAM_VIEW)
@require_safe
def one(request: HttpRequest, serial: str) -> HttpResponse:
    """One PSAM: what it is, what happened to it, how it is used."""
    psam = psam_named(request.actor, serial)
    days = use_of(psam)
    bars, most = bars_of(days)
    carrier = carrier_of(psam)
    facts = [{"row": row, "form": said(FORMS[row.form]), "mode": said(MODES[row.mode])} for row in psam.facts.all()]
    context = {
        "psam": psam,
        "state": (said(STATES[psam.standing]), TONES[psam.standing]),
        "level": said(LEVELS[psam.level]),
        "carrier": carrier,
        "carrier_state": (said(CARRIER_STATES[carrier.state]), CARRIER_TONES[carrier.state]) if carrier else None,
        "blocks": blocks_on_psam(serial),
        "verbs": [(name, said(VERBS[name]), verb.danger) for name, verb in offered_to(request.actor, psam)],
        "facts": facts,
        "moments": [(moment, said(moment.title)) for moment in life_of(psam)],
        "days": [day for day in reversed(days) if day.uses],
        "bars": bars,
        "most": most,
        "uses": sum(day.uses for day in days),
        "chart": {"width": CHART_WIDTH, "height": CHART_HEIGHT, "floor": CHART_HEIGHT - FOOT},
        "last": last_uses([serial]).get(serial),
    }
    return render(request, "console/psams/psam.html", context)


@opens(Permission.PSAM_VIEW)
@require_http_methods(["GET", "HEAD", "POST"])
def verb(request: HttpRequest, serial: str, verb: str) -> HttpResponse:
    """Ask for what the verb needs, then carry it out."""
    name = verb.replace("-", "_")
    if name not in VERBS_HERE:
        raise Http404
    what, actor = VERBS_HERE[name], request.actor
    actor.require(what.needs)
    psam = psam_named(actor, serial)
    form, problem, status = what.form(request.POST if request.method == "POST" else None), None, 200
    if request.method == "POST" and form.is_valid():
        try:
            what.act(actor, serial, form)
        except Refused as refusal:
            problem, status = told(refusal), refusal.http
        else:
            messages.success(request, gettext("Recorded: %(verb)s") % {"verb": said(VERBS[name])}, extra_tags="good")
            return redirect("console:psams_one", serial=serial)
    context = {
        "psam": psam,
        "state": (said(STATES[psam.standing]), TONES[psam.standing]),
        "form": form,
        "what": what,
        "verb": said(VERBS[name]),
        "problem": problem,
    }
    return render(request, "console/psams/verb.html", context, status=422 if form.errors else status)
