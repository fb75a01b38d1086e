"""Tags of the account and of staff: the words of factors and roles, and how long the session lasts."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from sheka.faces.console.account.words import FACTORS, OUTCOMES
from sheka.faces.console.telling import list_mark as mark
from sheka.faces.console.templatetags.look import seal
from sheka.faces.console.words import in_chinese, language
from sheka.foundation.terms import Term
from sheka.office.staff.models import StaffMember
from sheka.office.staff.permissions import role_titles
from sheka.office.staff.rules import rules
from sheka.office.staff.sessions import ends_at

register = template.Library()


@register.simple_tag
def role_name(role: str) -> str:
    """What a role is called; one that the policy has no more is shown by its code."""
    return role_titles().get(role, Term(role, role)).text(language())


@register.simple_tag
def person_title(staff: StaffMember) -> str:
    """Who a page is about, in its title, where no part can be marked as Chinese: the name, or the log-in name."""
    return staff.name if in_chinese() else staff.login


@register.simple_tag
def factor_name(kind: str) -> str:
    """What a factor is called."""
    return str(FACTORS[kind])


@register.simple_tag
def outcome_seal(outcome: str) -> SafeString:
    """The stamp of a try to sign in."""
    word, tone = OUTCOMES[outcome]
    return seal(str(word), tone)


@register.simple_tag
def list_mark() -> str:
    """What stands between the parts of a list."""
    return mark()


@register.simple_tag
def seconds_left(request: HttpRequest) -> int:
    """Until the session of this request ends, if nothing more is asked for."""
    ends: datetime = ends_at(request.staff_session)
    return max(0, int((ends - timezone.now()).total_seconds()))


@register.simple_tag
def seconds_of_warning() -> int:
    """How long before its end the page warns."""
    return int(rules().warn.total_seconds())
