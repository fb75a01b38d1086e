"""Addresses of this topic; the names are the console's (`console:approvals_...`)."""

from __future__ import annotations

from django.urls import path

from sheka.faces.console.approvals import inbox, lending, verbs, views

urlpatterns = [
    path("approvals", inbox.to_be_decided, name="approvals"),
    path("approvals/decided", inbox.decided, name="approvals_decided"),
    path("approvals/mine", inbox.mine, name="approvals_mine"),
    path("approvals/expired", inbox.expired, name="approvals_expired"),
    path("approvals/lending", lending.lending, name="approvals_lending"),
    path("approvals/lending/<int:key>/end", lending.end, name="approvals_lending_end"),
    path("approvals/<int:key>", views.one, name="approvals_one"),
    path("approvals/<int:key>/decide", verbs.decide_it, name="approvals_decide"),
    path("approvals/<int:key>/complete", verbs.complete_it, name="approvals_complete"),
    path("approvals/<int:key>/reassign", verbs.reassign_it, name="approvals_reassign"),
    path("approvals/<int:key>/withdraw", verbs.withdraw_it, name="approvals_withdraw"),
]
