"""A proposal is frozen when it is made; decisions name its digest."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from sheka.office.organisations.models import Organisation
from sheka.office.staff.models import StaffMember


class Proposal(models.Model):
    """Something that needs the consent of `needed` people other than its author before it is done."""

    kind = models.CharField(max_length=60)
    subject = models.CharField(max_length=120)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="proposals")
    payload = models.JSONField()
    digest = models.CharField(max_length=64)
    author = models.ForeignKey(StaffMember, null=True, on_delete=models.PROTECT, related_name="proposals")
    needed = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(max_length=20, default="open")
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        ordering = ("-made_at",)
        constraints = (models.CheckConstraint(condition=Q(needed__gte=1), name="approvals_needed"),)


class Decision(models.Model):
    """What one person decided about one digest. One person decides once, with whichever account."""

    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="decisions")
    staff = models.ForeignKey(StaffMember, on_delete=models.PROTECT, related_name="decisions")
    person_id = models.CharField(max_length=40)
    digest = models.CharField(max_length=64)
    verdict = models.CharField(max_length=10, choices=(("approve", "approve"), ("reject", "reject")))
    reason = models.TextField()
    decided_at = models.DateTimeField()

    class Meta:
        ordering = ("decided_at",)
        constraints = (models.UniqueConstraint(fields=("proposal", "person_id"), name="approvals_one_person_once"),)
