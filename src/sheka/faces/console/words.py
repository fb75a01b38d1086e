"""The words and tones of states, one table for every page. Tones: good, wait, stop, info, still."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

LEVELS: dict[str, str | Promise] = {
    "ministry": _("Ministry"),
    "province": _("Province"),
    "city": _("City"),
    "maker": _("Chip maker"),
}

WORDS: dict[str, tuple[str | Promise, str]] = {
    "active": (_("Active"), "good"),
    "open": (_("Open"), "wait"),
    "sealed": (_("Sealed"), "info"),
    "reconciled": (_("Reconciled"), "good"),
    "flat": (_("Flat"), "good"),
    "different": (_("Differences"), "stop"),
    "waiting": (_("Not yet"), "still"),
    "netted": (_("Netted"), "good"),
}

REQUEST_WORDS: dict[str, tuple[str | Promise, str]] = {
    "open": (_("To be decided"), "wait"),
    "returned": (_("Returned for completion"), "wait"),
    "approved": (_("Approved"), "good"),
    "done": (_("Approved and carried out"), "good"),
    "rejected": (_("Rejected"), "stop"),
    "withdrawn": (_("Withdrawn"), "still"),
    "expired": (_("Expired"), "stop"),
}
"""The states of a request for approval."""

CARD_TONES = {
    "ordered": "wait",
    "numbered": "wait",
    "personalised": "wait",
    "in_stock": "info",
    "handed_out": "info",
    "active": "good",
    "temporarily_lost": "stop",
    "lost": "stop",
    "blocked": "stop",
    "replaced": "still",
    "cancelled": "still",
    "handed_in": "still",
    "destroyed": "still",
}
EXCHANGE_TONES = {
    "applied": "wait",
    "in_production": "wait",
    "ready": "info",
    "collected": "good",
    "cancelled": "still",
}

DOCUMENTS: dict[str, str | Promise] = {
    "application": _("At the application"),
    "collection": _("At the collection"),
    "holder_id": _("Holder's ID card"),
    "old_card": _("The old card"),
    "proxy_id": _("Proxy's ID card"),
    "change_form": _("Personal data change confirmation form"),
    "confirmation": _("Replacement confirmation"),
}

CAUSES: dict[str, str | Promise] = {
    "quality_defect": _("Quality defect"),
    "people": _("Damaged by people"),
    "wear": _("Worn"),
}


def language() -> str:
    """The tag of the language that this page is written in."""
    return get_language() or "zh-hans"


def in_chinese() -> bool:
    """Whether this page is written in Chinese."""
    return language().startswith("zh")
