"""Requests for approval, as each organisation holds them; every version and every decision stays (design §2.5).

The copies of one request share `number`. Only the organisation whose turn it is changes it; each change has the next
`serial`, and the others take what they are told when its serial is newer than theirs.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from django.db.models import F, Q

from sheka.foundation.canonical import digest
from sheka.office.approvals.matters import Matter, matter_of
from sheka.office.approvals.routes import Route, Step
from sheka.office.organisations.models import Organisation
from sheka.office.staff.models import StaffMember


class Proposal(models.Model):
    """A request that needs the consent of others before it is done."""

    number = models.UUIDField(default=uuid.uuid4)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="proposals")
    origin = models.CharField(max_length=20)
    kind = models.CharField(max_length=60)
    subject = models.CharField(max_length=120)
    route = models.JSONField()
    version = models.PositiveSmallIntegerField(default=1)
    payload = models.JSONField()
    digest = models.CharField(max_length=64)
    author = models.ForeignKey(StaffMember, null=True, on_delete=models.PROTECT, related_name="proposals")
    state = models.CharField(max_length=20, default="open")
    step = models.PositiveSmallIntegerField(default=0)
    turn = models.CharField(max_length=20)
    permission = models.CharField(max_length=60)
    assignee = models.ForeignKey(StaffMember, null=True, on_delete=models.PROTECT, related_name="assigned_proposals")
    serial = models.PositiveIntegerField(default=1)
    withdrawal_asked_at = models.DateTimeField(null=True)
    result = models.JSONField(default=dict)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-made_at", "-pk")
        constraints = (models.UniqueConstraint(fields=("number", "organisation"), name="approvals_copy_once"),)
        indexes = (
            models.Index(
                fields=("organisation", "permission", "due_at"),
                condition=Q(state="open", turn=F("organisation")),
                name="approvals_to_decide",
            ),
            models.Index(fields=("due_at",), condition=Q(due_at__isnull=False), name="approvals_due"),
        )

    @property
    def matter(self) -> Matter:
        return matter_of(self.kind)

    @property
    def way(self) -> Route:
        return Route.of(self.route)

    @property
    def step_now(self) -> Step:
        return self.way.steps[self.step]

    @property
    def in_turn_here(self) -> bool:
        return self.turn == self.organisation_id

    @property
    def key(self) -> str:
        """How other parts of the office name it: audit rows, work, documents."""
        return f"proposal:{self.pk}"

    def frozen(self) -> str:
        """The digest of what would be decided now: whatever was altered in its row gives another one."""
        return frozen_digest(self.number, self.kind, self.subject, self.origin, self.version, self.payload)


def frozen_digest(
    number: uuid.UUID, kind: str, subject: str, origin: str, version: int, payload: dict[str, Any]
) -> str:
    """SM3 over everything that a decider agrees to; no two requests and no two versions share it."""
    return digest(
        {
            "kind": kind,
            "number": number,
            "origin": origin,
            "payload": payload,
            "subject": subject,
            "version": version,
        }
    )


class Version(models.Model):
    """A payload as it was frozen, and who froze it. The first one's editor is the author. Rows are never changed."""

    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField()
    payload = models.JSONField()
    digest = models.CharField(max_length=64)
    staff = models.ForeignKey(StaffMember, null=True, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=80)
    person = models.CharField(max_length=64)
    note = models.TextField(default="")
    made_at = models.DateTimeField()

    class Meta:
        ordering = ("number",)
        constraints = (models.UniqueConstraint(fields=("proposal", "number"), name="approvals_version_once"),)


class Decision(models.Model):
    """What one person decided about one digest, in whose right. Rows are never changed; an edit makes them void.

    `person` and `lender_person` are pseudonyms that hold for this request only (see `seats.pseudonym`).
    """

    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="decisions")
    version = models.PositiveSmallIntegerField()
    step = models.PositiveSmallIntegerField()
    place = models.CharField(max_length=20)
    staff = models.ForeignKey(StaffMember, null=True, on_delete=models.PROTECT, related_name="decisions")
    name = models.CharField(max_length=80)
    person = models.CharField(max_length=64)
    lender = models.ForeignKey(StaffMember, null=True, on_delete=models.PROTECT, related_name="+")
    lender_name = models.CharField(max_length=80, default="")
    lender_person = models.CharField(max_length=64, default="")
    digest = models.CharField(max_length=64)
    verdict = models.CharField(max_length=10)
    reason = models.TextField()
    decided_at = models.DateTimeField()

    class Meta:
        ordering = ("decided_at", "pk")
        constraints = (
            models.UniqueConstraint(fields=("proposal", "version", "person"), name="approvals_one_person_once"),
            models.CheckConstraint(
                condition=Q(verdict__in=("approve", "supplement", "reject")), name="approvals_verdict"
            ),
        )


class Delegation(models.Model):
    """A right to decide, lent to a colleague from one day to another; the end day no longer counts. Never deleted."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    lender = models.ForeignKey(StaffMember, on_delete=models.PROTECT, related_name="lent")
    delegate = models.ForeignKey(StaffMember, on_delete=models.PROTECT, related_name="borrowed")
    permission = models.CharField(max_length=60)
    reason = models.CharField(max_length=200)
    valid_from = models.DateField()
    valid_to = models.DateField()
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-made_at",)
        constraints = (models.CheckConstraint(condition=Q(valid_to__gt=F("valid_from")), name="approvals_lent_dates"),)
