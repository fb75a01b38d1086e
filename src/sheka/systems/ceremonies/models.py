"""Ceremonies as they are planned and carried out: references and check values, never a key, share or component (K6)."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from sheka.foundation.canonical import digest
from sheka.foundation.terms import Term
from sheka.office.approvals.models import Proposal
from sheka.office.organisations.models import Organisation
from sheka.office.staff.models import StaffMember
from sheka.systems.ceremonies.scripts import title_of
from sheka.systems.ceremonies.states import LIVE


class Ceremony(models.Model):
    """One ceremony. `script` is the list of its steps as they were written out for its roster, `position` the one in
    turn, from 0; `digest` is what everybody who attends agrees to: script, roster, approval and what it asks.

    `round` grows when the machine has lost an entry of components and it is begun anew: the one way back there is.
    `facts` is what the steps have left for each other: fingerprint, check values, the machine's reference of an entry,
    public keys of browsers, and shares sealed to them until they are taken.
    """

    number = models.CharField(max_length=30, unique=True)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="ceremonies")
    kind = models.CharField(max_length=40)
    rehearsal = models.BooleanField(default=False)
    proposal = models.ForeignKey(Proposal, null=True, on_delete=models.PROTECT, related_name="ceremonies")
    proposal_digest = models.CharField(max_length=64, default="", blank=True)
    script = models.JSONField()
    asked = models.JSONField(default=dict)
    digest = models.CharField(max_length=64)
    state = models.CharField(max_length=20, default="planned")
    position = models.PositiveSmallIntegerField(default=0)
    round = models.PositiveSmallIntegerField(default=1)
    facts = models.JSONField(default=dict)
    planned_by = models.ForeignKey(StaffMember, on_delete=models.PROTECT, related_name="+")
    planned_by_name = models.CharField(max_length=80)
    planned_at = models.DateTimeField()
    due_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=80, default="", blank=True)
    end_reason = models.CharField(max_length=300, default="", blank=True)

    class Meta:
        ordering = ("-planned_at", "-pk")
        constraints = (
            models.UniqueConstraint(
                fields=("proposal",),
                condition=Q(state__in=LIVE, rehearsal=False),
                name="ceremonies_one_for_an_approval",
            ),
        )
        indexes = (models.Index(fields=("due_at",), condition=Q(state__in=LIVE), name="ceremonies_due"),)

    def __str__(self) -> str:
        return self.number

    @property
    def key(self) -> str:
        """How other parts of the office name it: audit rows, work, documents."""
        return f"ceremony:{self.number}"

    @property
    def title(self) -> Term:
        return title_of(self.kind)

    @property
    def live(self) -> bool:
        return self.state in LIVE

    @property
    def step_now(self) -> dict[str, Any]:
        """The step in turn; the last one when it is over."""
        found: dict[str, Any] = self.script[min(self.position, len(self.script) - 1)]
        return found

    @property
    def scheme(self) -> str:
        return str(self.asked.get("scheme", "xor"))

    def frozen(self) -> str:
        """The digest of what its people agree to; an altered row gives another one."""
        return digest(
            {
                "number": self.number,
                "organisation": self.organisation_id,
                "kind": self.kind,
                "rehearsal": self.rehearsal,
                "approval": self.proposal_digest,
                "script": self.script,
                "asked": self.asked,
                "roster": [[seat.key, seat.name, seat.person] for seat in self.seats.all()],
            }
        )


class Seat(models.Model):
    """A person's part in a ceremony. `person` is a pseudonym that holds for this ceremony only. Never changed."""

    ceremony = models.ForeignKey(Ceremony, on_delete=models.PROTECT, related_name="seats")
    key = models.CharField(max_length=20)
    staff = models.ForeignKey(StaffMember, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=80)
    person = models.CharField(max_length=64)

    class Meta:
        ordering = ("pk",)
        constraints = (
            models.UniqueConstraint(fields=("ceremony", "key"), name="ceremonies_seat_once"),
            models.UniqueConstraint(fields=("ceremony", "person"), name="ceremonies_one_person_once"),
        )

    @property
    def part(self) -> str:
        """leader, custodian or witness."""
        return self.key.partition("-")[0]

    @property
    def place(self) -> int:
        """The number of a custodian's component or share; 0 for the others."""
        return int(self.key.partition("-")[2] or 0)


class Act(models.Model):
    """What somebody did in a step, or what was refused there and left the step open. Rows are never changed."""

    ceremony = models.ForeignKey(Ceremony, on_delete=models.PROTECT, related_name="acts")
    step = models.PositiveSmallIntegerField()
    round = models.PositiveSmallIntegerField(default=1)
    seat = models.ForeignKey(Seat, on_delete=models.PROTECT, related_name="acts")
    verdict = models.CharField(max_length=10, choices=(("done", "done"), ("refused", "refused")))
    evidence = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        ordering = ("at", "pk")
        constraints = (
            models.UniqueConstraint(
                fields=("ceremony", "round", "step", "seat"), condition=Q(verdict="done"), name="ceremonies_act_once"
            ),
        )
