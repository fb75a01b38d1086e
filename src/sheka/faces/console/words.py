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
    "differences": (_("Differences"), "stop"),
    "pending": (_("Not yet"), "still"),
}
