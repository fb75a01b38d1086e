"""The words and tones of states, one table for every page. Tones: good, wait, stop, info, still."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

LEVELS = {"ministry": _("Ministry"), "province": _("Province"), "city": _("City")}

WORDS = {
    "active": (_("Active"), "good"),
    "drafted": (_("Drafted"), "still"),
    "submitted": (_("Submitted"), "wait"),
    "received": (_("To be decided"), "wait"),
    "examined": (_("Examined"), "info"),
    "approved": (_("Approved"), "good"),
    "filed": (_("Approved and filed"), "good"),
    "rejected": (_("Rejected"), "stop"),
    "open": (_("Open"), "wait"),
    "sealed": (_("Sealed"), "info"),
    "reconciled": (_("Reconciled"), "good"),
    "flat": (_("Flat"), "good"),
    "different": (_("Differences"), "stop"),
    "waiting": (_("Not yet"), "still"),
    "netted": (_("Netted"), "good"),
}

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
EXCHANGE_TONES = {"applied": "wait", "in_production": "wait", "ready": "info", "collected": "good", "cancelled": "still"}

DOCUMENTS = {
    "application": _("Application"),
    "collection": _("Collection"),
    "holder_id": _("Holder's ID card"),
    "old_card": _("The old card"),
    "proxy_id": _("Proxy's ID card"),
    "change_form": _("Personal data change confirmation form"),
    "confirmation": _("Replacement confirmation"),
}
