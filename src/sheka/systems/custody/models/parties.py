"""Third parties: their filings with the ministry, and carriers entrusted to them under four conditions (K7)."""

from __future__ import annotations

from django.db import models

from sheka.office.documents.models import Document
from sheka.office.organisations.models import Organisation
from sheka.office.staff.models import StaffMember
from sheka.systems.custody.states import ENTRUSTMENT


class VendorFiling(models.Model):
    """What a supplier has filed with the ministry: without one in force it is given no carrier."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    party = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    number = models.CharField(max_length=60)
    filed_on = models.DateField()
    valid_to = models.DateField()
    by = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        ordering = ("-valid_to", "-pk")
        constraints = (
            models.UniqueConstraint(fields=("organisation", "party", "number"), name="custody_filing_once"),
            models.CheckConstraint(condition=models.Q(valid_to__gt=models.F("filed_on")), name="custody_filing_dates"),
        )


class Entrustment(models.Model):
    """Carriers for a third party: what has to be there before they go, who watches, when they are back.

    `plan` is the security plan; `plan_approval` the number of the request that its review is.
    """

    number = models.CharField(max_length=30, unique=True)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    party = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    purpose = models.CharField(max_length=200)
    serials = models.JSONField(default=list)
    agreement = models.ForeignKey(Document, null=True, on_delete=models.PROTECT, related_name="+")
    agreement_valid_to = models.DateField(null=True)
    plan = models.ForeignKey(Document, null=True, on_delete=models.PROTECT, related_name="+")
    plan_approval = models.UUIDField(null=True)
    supervisor = models.ForeignKey(StaffMember, null=True, on_delete=models.PROTECT, related_name="+")
    return_by = models.DateField(null=True)
    state = models.CharField(max_length=10, default=ENTRUSTMENT.initial)
    overdue_at = models.DateTimeField(null=True)
    incident = models.CharField(max_length=40, default="", blank=True)
    creator = models.ForeignKey(StaffMember, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    out_at = models.DateTimeField(null=True)
    back_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-created_at", "-pk")

    @property
    def subject(self) -> str:
        return f"entrustment:{self.number}"


class SupervisionReport(models.Model):
    """What the supervisor saw at the third party; append-only (sql/custody.sql)."""

    entrustment = models.ForeignKey(Entrustment, on_delete=models.PROTECT, related_name="reports")
    staff = models.ForeignKey(StaffMember, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=80)
    seen = models.TextField()
    in_order = models.BooleanField()
    document = models.ForeignKey(Document, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ("-at", "-pk")
