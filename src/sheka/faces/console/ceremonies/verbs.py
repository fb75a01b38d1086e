"""What people do on the page of a ceremony: take their step, fetch a one-time key, abort, ask for the minutes (K6)."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from sheka.faces.console.account.confirm import confirm
from sheka.faces.console.ceremonies.views import ceremony_page
from sheka.faces.console.doors import opens
from sheka.faces.console.telling import told
from sheka.faces.console.words import language
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.staff.permissions import Permission
from sheka.systems.ceremonies.actions.abort_ceremony import abort_ceremony
from sheka.systems.ceremonies.actions.issue_minutes import issue_minutes
from sheka.systems.ceremonies.actions.take_step import seat_to_act, take_step
from sheka.systems.ceremonies.models import Ceremony
from sheka.systems.ceremonies.queries import ceremony_numbered
from sheka.systems.ceremonies.records import step_digest
from sheka.systems.ceremonies.run import device_of

GIVEN = ("fingerprint", "check_value", "pin", "sealed", "entry", "receiver", "holder")
"""What a step can be given; everything secret among it is sealed in the browser, but for the PIN of a card."""
SEALED_IN = ("component", "share")


@sensitive_post_parameters("pin", "sealed")
@opens(Permission.CEREMONY_VIEW)
@require_POST
def act(request: HttpRequest, number: str) -> HttpResponse:
    """Take the step that stood on the page, where it asks for it after presence was proved."""
    ceremony = ceremony_numbered(request.actor, number)
    posted = request.POST.get("step", "")
    try:
        if not posted.isdecimal():
            raise Refused(Code.CEREMONY_GIVEN, field="step")
        seat_to_act(request.actor, ceremony, int(posted))
        if ceremony.step_now["confirm"]:
            page = confirm(request, step_digest(ceremony), _about(ceremony))
            if page is not None:
                return page
        given = {name: request.POST[name] for name in GIVEN if name in request.POST}
        after = take_step(request.actor, number=number, step=int(posted), given=given)
    except Refused as refusal:
        return _refused(request, number, refusal)
    done = after.state == "done"
    messages.success(
        request, _("The ceremony is completed.") if done else _("Your step is recorded."), extra_tags="good"
    )
    return redirect("console:ceremonies_one", number)


@opens(Permission.CEREMONY_HOLD)
@require_POST
def entry_key(request: HttpRequest, number: str) -> HttpResponse:
    """A one-time key of the machine for the component or share that the reader enters now."""
    ceremony = ceremony_numbered(request.actor, number)
    seat_to_act(request.actor, ceremony, ceremony.position)
    if ceremony.step_now["does"] not in SEALED_IN:
        raise Refused(Code.CEREMONY_GIVEN, field="entry")
    key = device_of(ceremony).entry_key()
    return JsonResponse({"entry": key.id.hex(), "public_key": key.public_key.hex()})


@opens(Permission.CEREMONY_VIEW)
@require_POST
def abort(request: HttpRequest, number: str) -> HttpResponse:
    """Stop it, with a reason."""
    try:
        abort_ceremony(request.actor, number=number, reason=request.POST.get("reason", ""))
    except Refused as refusal:
        return _refused(request, number, refusal)
    messages.success(request, _("The ceremony is aborted."), extra_tags="good")
    return redirect("console:ceremonies_one", number)


@opens(Permission.CEREMONY_VIEW)
@require_POST
def minutes(request: HttpRequest, number: str) -> HttpResponse:
    """Make the minutes of a ceremony that is over."""
    try:
        issue_minutes(request.actor, number=number)
    except Refused as refusal:
        return _refused(request, number, refusal)
    messages.success(request, _("The minutes are made and signed."), extra_tags="good")
    return redirect("console:ceremonies_one", number)


def _about(ceremony: Ceremony) -> str:
    """What is confirmed, in one sentence."""
    step = ceremony.step_now
    return _("%(ceremony)s, %(number)s, step %(step)s: %(title)s") % {
        "ceremony": ceremony.title.text(language()),
        "number": ceremony.number,
        "step": ceremony.position + 1,
        "title": Term(step["zh"], step["en"]).text(language()),
    }


def _refused(request: HttpRequest, number: str, refusal: Refused) -> HttpResponse:
    """The page as it is now, with the sentence why the verb was refused."""
    ceremony = ceremony_numbered(request.actor, number)
    return ceremony_page(request, ceremony, problem=told(refusal), status=refusal.http)
