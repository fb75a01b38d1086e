"""Incidents as each organisation holds them, emergency plans in their versions, and drills (K9).

The copies of one incident share `number`. Only the organisation where it arose (`origin`) changes it; each change has
the next `serial`, and the others take what they are told when it is newer than theirs. What they say themselves (read,
asked for more) goes to the origin as a message, and comes back in its next account.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from django.db.models import Q

from sheka.foundation.canonical import digest
from sheka.foundation.terms import Term
from sheka.office.incidents.states import RUNNING
from sheka.office.organisations.models import Organisation
from sheka.office.staff.models import StaffMember


class Plan(models.Model):
    """One version of an organisation's emergency plan for a kind of incident. Only its end is written later.

    `content` is what `plans.PlanContent` reads; `digest` its SM3. `valid_to` is the day on which it no longer counts.
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=40)
    version = models.PositiveSmallIntegerField()
    content = models.JSONField()
    digest = models.CharField(max_length=64)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)
    proposal = models.UUIDField()
    made_by = models.CharField(max_length=80)
    approved_by = models.CharField(max_length=80)
    approved_at = models.DateTimeField()

    class Meta:
        ordering = ("kind", "-version")
        constraints = (
            models.UniqueConstraint(fields=("organisation", "kind", "version"), name="incidents_plan_version"),
            models.UniqueConstraint(
                fields=("organisation", "kind"), condition=Q(valid_to__isnull=True), name="incidents_plan_last"
            ),
        )


class Drill(models.Model):
    """An exercise of a plan that was held. Rows are never changed."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=40)
    plan_version = models.PositiveSmallIntegerField()
    held_on = models.DateField()
    led_by = models.CharField(max_length=80)
    people = models.CharField(max_length=400)
    scenario = models.TextField()
    result = models.CharField(max_length=10)
    measures = models.TextField(default="", blank=True)
    recorded_by = models.CharField(max_length=80)
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ("-held_on", "-pk")
        constraints = (
            models.CheckConstraint(condition=Q(result__in=("passed", "gaps", "failed")), name="incidents_drill_result"),
        )

    @property
    def subject(self) -> str:
        return f"drill:{self.pk}"


class Incident(models.Model):
    """One incident in the books of one organisation.

    `plan` is the plan as it stood when the incident was reported. `doubt` holds who called it a false alarm and why,
    while a second person has not decided. `due_at` is the next deadline that is not met.
    """

    number = models.CharField(max_length=40)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    origin = models.CharField(max_length=20)
    serial = models.PositiveIntegerField(default=1)
    kind = models.CharField(max_length=40)
    severity = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=12, default="new")
    about = models.TextField()
    noticed_at = models.DateTimeField()
    reported_at = models.DateTimeField()
    reported_by = models.CharField(max_length=80)
    reported_from = models.CharField(max_length=20)
    reporter = models.ForeignKey(StaffMember, null=True, on_delete=models.PROTECT, related_name="+")
    handler = models.ForeignKey(StaffMember, null=True, on_delete=models.PROTECT, related_name="+")
    handled_by = models.CharField(max_length=80, default="")
    plan = models.JSONField()
    plan_version = models.PositiveSmallIntegerField()
    cause = models.TextField(default="")
    measures = models.TextField(default="")
    doubt = models.JSONField(default=dict)
    due_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=80, default="")

    class Meta:
        ordering = ("-reported_at", "-pk")
        constraints = (
            models.UniqueConstraint(fields=("number", "organisation"), name="incidents_copy_once"),
            models.CheckConstraint(condition=Q(severity__range=(1, 4)), name="incidents_severity"),
        )
        indexes = (
            models.Index(
                fields=("organisation", "due_at"), condition=Q(ended_at__isnull=True), name="incidents_running"
            ),
            models.Index(fields=("organisation", "-reported_at"), name="incidents_all"),
        )

    def __str__(self) -> str:
        return self.number

    @property
    def subject(self) -> str:
        """How other parts of the office name it: audit rows, work, documents."""
        return f"incident:{self.number}"

    @property
    def is_origin(self) -> bool:
        return self.origin == self.organisation_id

    @property
    def runs(self) -> bool:
        return self.state in RUNNING

    def person(self, person_id: str) -> str:
        """A pseudonym for a person within this incident: the same for every account of one person."""
        return digest({"person": person_id, "incident": self.number})


class _Part(models.Model):
    """A row of an incident, the same in every copy."""

    class Meta:
        abstract = True

    FIELDS: tuple[str, ...] = ()

    def plain(self) -> dict[str, Any]:
        """As JSON for a message; times in ISO 8601 with their zone."""
        values = {name: getattr(self, name) for name in self.FIELDS}
        return {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in values.items()}


class Affected(_Part):
    """A thing that the incident concerns, and what became of it. `subject` is "carrier:T460100-7"."""

    FIELDS = (
        "subject",
        "title",
        "state",
        "answer",
        "failure",
        "tries",
        "frozen_at",
        "decided_at",
        "decided_by",
        "reason",
    )

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="affected")
    subject = models.CharField(max_length=120)
    title = models.CharField(max_length=200, default="")
    state = models.CharField(max_length=10, default="listed")
    answer = models.CharField(max_length=400, default="")
    failure = models.CharField(max_length=400, default="")
    tries = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True)
    frozen_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=80, default="")
    reason = models.CharField(max_length=400, default="")

    class Meta:
        ordering = ("pk",)
        constraints = (models.UniqueConstraint(fields=("incident", "subject"), name="incidents_affected_once"),)
        indexes = (models.Index(fields=("subject",), name="incidents_affected_subject"),)

    @property
    def sort(self) -> str:
        """The kind of thing: what stands before the colon."""
        return self.subject.partition(":")[0]

    @property
    def name(self) -> str:
        """Its number: what stands behind the colon."""
        return self.subject.partition(":")[2]


class FollowUp(_Part):
    """Something that the plan set going for an affected thing."""

    FIELDS = ("name", "subject", "state", "answer", "failure", "tries")

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="follow_ups")
    name = models.CharField(max_length=40)
    subject = models.CharField(max_length=120)
    state = models.CharField(max_length=10)
    answer = models.CharField(max_length=400, default="")
    failure = models.CharField(max_length=400, default="")
    tries = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("pk",)
        constraints = (
            models.UniqueConstraint(fields=("incident", "name", "subject"), name="incidents_follow_up_once"),
            models.CheckConstraint(condition=Q(state__in=("failed", "begun")), name="incidents_follow_up_state"),
        )


class Deadline(_Part):
    """A clock of an incident: acknowledge, contain, cause or close."""

    FIELDS = ("name", "due_at", "met_at", "told_at")

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="deadlines")
    name = models.CharField(max_length=12)
    due_at = models.DateTimeField()
    met_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("due_at", "pk")
        constraints = (models.UniqueConstraint(fields=("incident", "name"), name="incidents_deadline_once"),)


class Receipt(_Part):
    """That an organisation above was told: when it arrived there and who signed that it was read.

    `steps` counts how far it went up while nobody read it; `escalates_at` is when it goes on.
    """

    FIELDS = ("place", "sent_at", "arrived_at", "read_at", "read_by", "steps", "escalates_at")

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="receipts")
    place = models.CharField(max_length=20)
    sent_at = models.DateTimeField()
    arrived_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)
    read_by = models.CharField(max_length=80, default="")
    steps = models.PositiveSmallIntegerField(default=0)
    escalates_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("pk",)
        constraints = (models.UniqueConstraint(fields=("incident", "place"), name="incidents_receipt_once"),)
        indexes = (
            models.Index(
                fields=("escalates_at",), condition=Q(escalates_at__isnull=False), name="incidents_receipt_late"
            ),
        )


class Entry(_Part):
    """One line of the timeline: what was done or said, by whom. Rows are never changed.

    `person` is a pseudonym that holds within the incident only. `answers` names the demand that an answer is given to.
    """

    FIELDS = ("key", "verb", "place", "name", "person", "state", "text", "answers", "at")

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="entries")
    key = models.UUIDField(default=uuid.uuid4)
    verb = models.CharField(max_length=16)
    place = models.CharField(max_length=20)
    name = models.CharField(max_length=80)
    person = models.CharField(max_length=64, default="")
    state = models.CharField(max_length=12)
    text = models.TextField(default="")
    answers = models.UUIDField(null=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ("at", "pk")
        constraints = (models.UniqueConstraint(fields=("incident", "key"), name="incidents_entry_once"),)

    @property
    def by_process(self) -> bool:
        """Whether no person but a process of the node did it."""
        return self.name.startswith("process:")

    def plain(self) -> dict[str, Any]:
        return {**super().plain(), "key": str(self.key), "answers": str(self.answers) if self.answers else None}


DRILL_RESULTS = {
    "passed": Term("通过", "passed"),
    "gaps": Term("通过，有待改进", "passed with gaps"),
    "failed": Term("未通过", "failed"),
}
