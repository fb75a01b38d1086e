"""What screens call states, verbs, events and grounds: English here, Chinese in locale/ (design §6)."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

STATES: dict[str, str | Promise] = {
    "ordered": _("Ordered"),
    "numbered": _("Numbered"),
    "personalised": _("Personalised"),
    "in_stock": _("In stock"),
    "handed_out": _("Handed out, not activated"),
    "active": _("Active"),
    "temporarily_lost": _("Temporary loss report"),
    "lost": _("Reported lost"),
    "blocked": _("Blocked"),
    "replaced": _("Replaced"),
    "cancelled": _("Cancelled"),
    "handed_in": _("Handed in"),
    "destroyed": _("Destroyed"),
}

EXCHANGE_STATES: dict[str, str | Promise] = {
    "applied": _("Applied for"),
    "in_production": _("In production"),
    "ready": _("Ready to collect"),
    "collected": _("Collected"),
    "cancelled": _("Cancelled"),
}

VERBS: dict[str, str | Promise] = {
    "number": _("Number"),
    "personalise": _("Personalise"),
    "receive": _("Take into stock"),
    "hand_out": _("Hand out"),
    "activate": _("Activate"),
    "exchange": _("Exchange"),
    "report_loss_temporarily": _("Temporary loss report"),
    "report_loss": _("Loss report"),
    "release": _("Release the loss report"),
    "block": _("Block"),
    "unblock": _("Unblock"),
    "cancel": _("Cancel"),
    "hand_in": _("Hand in"),
    "reveal": _("Show the whole number"),
}

GROUNDS: dict[str, str | Promise] = {
    "damaged": _("Damaged"),
    "data_changed": _("Personal data changed"),
}

FEE_RULES: dict[str, str | Promise] = {
    "free_within_term": _("Free: a quality defect within one year of receipt"),
    "paid_after_term": _("Paid: the year after receipt is over"),
    "paid_not_quality": _("Paid: not a quality defect"),
    "paid_data_changed": _("Paid: personal data changed"),
    "paid_no_receipt_date": _("Paid: the day of receipt is not known"),
}

# Event → kind, title, detail. A detail names facts of the event; one without facts is empty.
EVENTS: dict[str, tuple[str, str | Promise, str | Promise]] = {
    "ordered": ("done", _("Ordered"), _("Batch %(batch)s")),
    "numbered": ("done", _("Numbered"), ""),
    "personalised": ("done", _("Personalised and read back"), _("Chip %(chip)s in reader %(reader)s")),
    "personalisation_failed": ("bad", _("Personalisation failed"), _("Chip %(chip)s: refusal %(code)s")),
    "received": ("done", _("Taken into stock"), _("Outlet %(outlet)s")),
    "handed_out": ("done", _("Handed out"), ""),
    "activated": ("done", _("Activated, PIN changed"), _("In reader %(reader)s")),
    "lost_temporarily": ("bad", _("Temporary loss report"), "%(reason)s"),
    "lost_formally": ("bad", _("Loss report"), ""),
    "released": ("done", _("Loss report released"), ""),
    "blocked": ("bad", _("Blocked"), "%(reason)s"),
    "unblocked": ("done", _("Unblocked"), "%(reason)s"),
    "cancelled": ("bad", _("Cancelled"), "%(reason)s"),
    "counterfeit_seen": (
        "bad",
        _("A false card with this number was presented"),
        _("Reader %(reader)s: refusal %(code)s"),
    ),
    "exchange_applied": ("done", _("Exchange applied for"), _("Confirmation %(exchange)s, ready on %(due_on)s")),
    "exchange_paid": ("done", _("Exchange fee paid"), _("Receipt %(receipt)s")),
    "exchange_ready": ("done", _("New card ready to collect"), _("Confirmation %(exchange)s")),
    "exchange_cancelled": ("bad", _("Exchange cancelled"), "%(reason)s"),
    "replaced": ("done", _("Replaced by a new card"), _("New card %(new_card)s")),
    "not_returned": ("bad", _("Old card not returned, declared by the holder"), "%(reason)s"),
    "handed_in": ("done", _("Old card handed in"), _("Outlet %(outlet)s")),
    "sent_to_centre": ("done", _("Sent to the card centre"), _("Transfer %(transfer)s")),
    "received_at_centre": ("done", _("Received at the card centre"), _("Transfer %(transfer)s")),
    "destroyed": ("done", _("Destroyed with two witnesses"), _("Batch %(batch)s")),
}

# What comes after each state when nothing goes wrong.
NEXT: dict[str, tuple[str | Promise, ...]] = {
    "ordered": (_("To be numbered"), _("To be personalised"), _("To be handed out"), _("To be activated")),
    "numbered": (_("To be personalised"), _("To be handed out"), _("To be activated")),
    "personalised": (_("To be taken into stock"), _("To be handed out"), _("To be activated")),
    "in_stock": (_("To be handed out"), _("To be activated")),
    "handed_out": (_("To be activated"),),
    "active": (),
    "temporarily_lost": (_("To be reported lost formally, or released"),),
    "lost": (_("To be re-issued, or released"),),
    "blocked": (_("To be unblocked, or cancelled"),),
    "replaced": (_("To be handed in"), _("To be destroyed")),
    "cancelled": (_("To be handed in"), _("To be destroyed")),
    "handed_in": (_("To be destroyed"),),
    "destroyed": (),
}
EXCHANGE_NEXT: dict[str, tuple[str | Promise, ...]] = {
    "applied": (_("New card to be made"), _("New card to be collected, this one to be handed in")),
    "in_production": (_("New card being made"), _("New card to be collected, this one to be handed in")),
    "ready": (_("New card to be collected, this one to be handed in"),),
}
DUE = _("Ready on %(day)s")
DUE_PROVISIONAL = _("Ready on %(day)s, provisional: the holiday notice of that year is not published")
