"""What screens call states, verbs, events and grounds: English here, Chinese in locale/ (design §6)."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy


def _of_card(text: str) -> Promise:
    """A word of the card system: its context keeps it apart from the same word of another app."""
    return pgettext_lazy("card", text)


def _of_exchange(text: str) -> Promise:
    return pgettext_lazy("exchange", text)


STATES: dict[str, str | Promise] = {
    "ordered": _of_card("Ordered"),
    "numbered": _of_card("Numbered"),
    "personalised": _of_card("Personalised"),
    "in_stock": _of_card("In stock"),
    "handed_out": _of_card("Handed out, not activated"),
    "active": _of_card("Active"),
    "temporarily_lost": _of_card("Temporary loss report"),
    "lost": _of_card("Reported lost"),
    "blocked": _of_card("Blocked"),
    "replaced": _of_card("Replaced"),
    "cancelled": _of_card("Cancelled"),
    "handed_in": _of_card("Handed in"),
    "destroyed": _of_card("Destroyed"),
}

EXCHANGE_STATES: dict[str, str | Promise] = {
    "applied": _of_exchange("Applied for"),
    "in_production": _of_exchange("In production"),
    "ready": _of_exchange("Ready to collect"),
    "collected": _of_exchange("Collected"),
    "cancelled": _of_exchange("Cancelled"),
}

VERBS: dict[str, str | Promise] = {
    "number": _of_card("Number"),
    "personalise": _of_card("Personalise"),
    "receive": _of_card("Take into stock"),
    "hand_out": _of_card("Hand out"),
    "activate": _of_card("Activate"),
    "exchange": _of_card("Exchange"),
    "report_loss_temporarily": _of_card("Temporary loss report"),
    "report_loss": _of_card("Loss report"),
    "release": _of_card("Release the loss report"),
    "block": _of_card("Block"),
    "unblock": _of_card("Unblock"),
    "cancel": _of_card("Cancel"),
    "hand_in": _of_card("Hand in"),
    "reveal": _of_card("Show the whole number"),
}

EXCHANGE_VERBS: dict[str, str | Promise] = {
    "pay": _of_exchange("Take the fee"),
    "collect": _of_exchange("Hand over the new card"),
    "cancel": _of_exchange("Cancel the exchange"),
}

GROUNDS: dict[str, str | Promise] = {
    "damaged": _of_card("Damaged"),
    "data_changed": _of_card("Personal data changed"),
}

FEE_RULES: dict[str, str | Promise] = {
    "free_within_term": _of_card("Free: a quality defect within one year of receipt"),
    "paid_after_term": _of_card("Paid: the year after receipt is over"),
    "paid_not_quality": _of_card("Paid: not a quality defect"),
    "paid_data_changed": _of_card("Paid: personal data changed"),
    "paid_no_receipt_date": _of_card("Paid: the day of receipt is not known"),
}

# Event → kind, title, detail. A detail names facts of the event; one without facts is empty.
EVENTS: dict[str, tuple[str, str | Promise, str | Promise]] = {
    "ordered": ("done", _of_card("Ordered"), _of_card("Batch %(batch)s")),
    "numbered": ("done", _of_card("Numbered"), ""),
    "personalised": ("done", _of_card("Personalised and read back"), _of_card("Chip %(chip)s in reader %(reader)s")),
    "personalisation_failed": ("bad", _of_card("Personalisation failed"), _of_card("Chip %(chip)s: refusal %(code)s")),
    "received": ("done", _of_card("Taken into stock"), _of_card("Outlet %(outlet)s")),
    "handed_out": ("done", _of_card("Handed out"), ""),
    "activated": ("done", _of_card("Activated, PIN changed"), _of_card("In reader %(reader)s")),
    "lost_temporarily": ("bad", _of_card("Temporary loss report"), "%(reason)s"),
    "lost_formally": ("bad", _of_card("Loss report"), ""),
    "released": ("done", _of_card("Loss report released"), ""),
    "blocked": ("bad", _of_card("Blocked"), "%(reason)s"),
    "unblocked": ("done", _of_card("Unblocked"), "%(reason)s"),
    "cancelled": ("bad", _of_card("Cancelled"), "%(reason)s"),
    "counterfeit_seen": (
        "bad",
        _of_card("A false card with this number was presented"),
        _of_card("Reader %(reader)s: refusal %(code)s"),
    ),
    "rekeyed": ("done", _of_card("Given new keys"), _of_card("Version %(version)s in reader %(reader)s")),
    "exchange_applied": (
        "done",
        _of_card("Exchange applied for"),
        _of_card("Confirmation %(exchange)s, ready on %(due_on)s"),
    ),
    "exchange_paid": ("done", _of_card("Exchange fee paid"), _of_card("Receipt %(receipt)s")),
    "exchange_ready": ("done", _of_card("New card ready to collect"), _of_card("Confirmation %(exchange)s")),
    "exchange_cancelled": ("bad", _of_card("Exchange cancelled"), "%(reason)s"),
    "replaced": ("done", _of_card("Replaced by a new card"), _of_card("New card %(new_card)s")),
    "not_returned": ("bad", _of_card("Old card not returned, declared by the holder"), "%(reason)s"),
    "handed_in": ("done", _of_card("Old card handed in"), _of_card("Outlet %(outlet)s")),
    "sent_to_centre": ("done", _of_card("Sent to the card centre"), _of_card("Transfer %(transfer)s")),
    "received_at_centre": ("done", _of_card("Received at the card centre"), _of_card("Transfer %(transfer)s")),
    "destroyed": ("done", _of_card("Destroyed with two witnesses"), _of_card("Batch %(batch)s")),
}

# What comes after each state when nothing goes wrong.
NEXT: dict[str, tuple[str | Promise, ...]] = {
    "ordered": (
        _of_card("To be numbered"),
        _of_card("To be personalised"),
        _of_card("To be handed out"),
        _of_card("To be activated"),
    ),
    "numbered": (_of_card("To be personalised"), _of_card("To be handed out"), _of_card("To be activated")),
    "personalised": (_of_card("To be taken into stock"), _of_card("To be handed out"), _of_card("To be activated")),
    "in_stock": (_of_card("To be handed out"), _of_card("To be activated")),
    "handed_out": (_of_card("To be activated"),),
    "active": (),
    "temporarily_lost": (_of_card("To be reported lost formally, or released"),),
    "lost": (_of_card("To be re-issued, or released"),),
    "blocked": (_of_card("To be unblocked, or cancelled"),),
    "replaced": (_of_card("To be handed in"), _of_card("To be destroyed")),
    "cancelled": (_of_card("To be handed in"), _of_card("To be destroyed")),
    "handed_in": (_of_card("To be destroyed"),),
    "destroyed": (),
}
EXCHANGE_NEXT: dict[str, tuple[str | Promise, ...]] = {
    "applied": (_of_card("New card to be made"), _of_card("New card to be collected, this one to be handed in")),
    "in_production": (_of_card("New card being made"), _of_card("New card to be collected, this one to be handed in")),
    "ready": (_of_card("New card to be collected, this one to be handed in"),),
}
DUE = _of_card("Ready on %(day)s")
DUE_PROVISIONAL = _of_card("Ready on %(day)s, provisional: the holiday notice of that year is not published")
