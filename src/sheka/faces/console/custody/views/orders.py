"""Orders to the ministry, and the ministry's issue of serials (K5)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods, require_safe

from sheka.faces.console.custody.asking import Crumb, Question, ask, sent
from sheka.faces.console.custody.forms import IssueForm, OrderForm, StockForm
from sheka.faces.console.custody.lists import ORDERS
from sheka.faces.console.custody.words import ORDER_TONES, kind_word, place_name, stamp
from sheka.faces.console.doors import opens
from sheka.faces.console.lists import show_list
from sheka.office.approvals.queries import readable_by
from sheka.office.staff.permissions import Permission
from sheka.systems.custody import queries
from sheka.systems.custody.actions.issue_carriers import issue_carriers
from sheka.systems.custody.actions.order_carriers import order_carriers
from sheka.systems.custody.labels import ORDER_STATES
from sheka.systems.custody.ledger import MINISTRY


@opens(Permission.CARRIER_VIEW)
@require_safe
def orders(request: HttpRequest) -> HttpResponse:
    """The orders in the books of the reader's organisation."""
    actor = request.actor
    at_ministry = actor.organisation == MINISTRY
    context = {
        "may_order": actor.may(Permission.CARRIER_ORDER) and not at_ministry,
        "may_issue": actor.may(Permission.CARRIER_ISSUE) and at_ministry,
    }
    return show_list(request, ORDERS, "console/custody/orders.html", **context)


@opens(Permission.CARRIER_ORDER)
@require_http_methods(["GET", "HEAD", "POST"])
def order_new(request: HttpRequest) -> HttpResponse:
    """Ask the ministry for carriers."""
    actor = request.actor
    question = Question(
        title=_("Order carriers"),
        button=_("Send the order"),
        done=_("The order waits for its decision"),
        crumbs=(Crumb(_("Orders of carriers"), reverse("console:custody_orders")),),
        lede=_("The ministry decides, issues the serials and sends the carriers. A city's order passes its province."),
    )
    form = OrderForm(sent(request), actor=actor)
    return ask(
        request,
        question,
        form,
        lambda given: order_carriers(actor, **given),
        lambda made: reverse("console:custody_order", args=[made.number]),
    )


@opens(Permission.CARRIER_VIEW)
@require_safe
def order(request: HttpRequest, number: str) -> HttpResponse:
    """One order, and at the ministry the carriers that were issued for it."""
    actor, row = request.actor, queries.order(request.actor, number)
    issued = list(queries.carriers(actor).filter(order_number=number))
    for carrier in issued:
        carrier.where = place_name(carrier.at)
    context = {
        "order": row,
        "stamp": stamp(row.state, ORDER_STATES, ORDER_TONES),
        "kind": kind_word(row.kind),
        "origin": place_name(row.origin),
        "request_for_it": readable_by(actor).filter(number=row.approval).first(),
        "issued": issued,
        "here": [carrier.serial for carrier in issued if carrier.state == "blank" and not carrier.hand_over],
        "may_issue": actor.may(Permission.CARRIER_ISSUE) and actor.organisation == MINISTRY and row.state == "approved",
        "may_send": actor.may(Permission.CARRIER_KEEP),
    }
    return render(request, "console/custody/order.html", context)


@opens(Permission.CARRIER_ISSUE)
@require_http_methods(["GET", "HEAD", "POST"])
def order_issue(request: HttpRequest, number: str) -> HttpResponse:
    """The ministry's custodian issues serials for an approved order."""
    actor, row = request.actor, queries.order(request.actor, number)
    address = reverse("console:custody_order", args=[number])
    question = Question(
        title=_("Issue carriers"),
        button=pgettext("custody", "Issue them"),
        done=_("The carriers stand in the register"),
        crumbs=(Crumb(_("Orders of carriers"), reverse("console:custody_orders")), Crumb(number, address)),
        lede=_("%(left)s of %(count)s are left to be issued: %(kind)s.")
        % {"left": row.count - row.issued, "count": row.count, "kind": kind_word(row.kind)},
    )
    form = IssueForm(sent(request), actor=actor, initial={"count": row.count - row.issued})

    def act(given: dict[str, Any]) -> object:
        return issue_carriers(actor, kind=row.kind, order=number, **given)

    return ask(request, question, form, act, lambda made: address)


@opens(Permission.CARRIER_ISSUE)
@require_http_methods(["GET", "HEAD", "POST"])
def stock_new(request: HttpRequest) -> HttpResponse:
    """The ministry issues carriers for its own use."""
    actor = request.actor
    question = Question(
        title=_("Issue carriers to the own stock"),
        button=pgettext("custody", "Issue them"),
        done=_("The carriers stand in the register"),
        crumbs=(Crumb(_("Key carriers"), reverse("console:custody")),),
        lede=_("Only the ministry issues carriers. What goes to a province or a city needs its order."),
    )
    form = StockForm(sent(request), actor=actor)
    return ask(
        request, question, form, lambda given: issue_carriers(actor, **given), lambda made: reverse("console:custody")
    )
