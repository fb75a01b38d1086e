"""The words of factors, outcomes and ends of sessions, and what a browser is called."""

from __future__ import annotations

import re

from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

FACTORS: dict[str, str | Promise] = {
    "password": gettext_lazy("Password"),
    "code": gettext_lazy("One-time code"),
    "key": gettext_lazy("Security key"),
    "recovery": gettext_lazy("Recovery code"),
    "enrolment": gettext_lazy("Enrolment code"),
}
OUTCOMES: dict[str, tuple[str | Promise, str]] = {
    "signed_in": (gettext_lazy("Signed in"), "good"),
    "failed": (gettext_lazy("Failed"), "wait"),
    "locked": (gettext_lazy("Failed, account locked"), "stop"),
}
LOST: dict[str, str | Promise] = {
    "password": gettext_lazy("The password"),
    "factors": gettext_lazy("The second factors"),
    "all": gettext_lazy("Everything, or the account is new"),
}
_BROWSERS = (("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chromium"), ("Safari/", "Safari"))
_SYSTEMS = (
    (r"Windows", "Windows"),
    (r"Android", "Android"),
    (r"iPhone|iPad", "iOS"),
    (r"Mac OS", "macOS"),
    (r"Linux", "Linux"),
)


def browser(agent: str) -> str:
    """What a person would call the browser that says `agent` of itself."""
    name = next((name for mark, name in _BROWSERS if mark in agent), "")
    system = next((name for mark, name in _SYSTEMS if re.search(mark, agent)), "")
    if not name:
        return str(_("Unknown browser"))
    return format_html('<span lang="en">{}</span>', f"{name}, {system}" if system else name)
