"""From one step at home to a route over several organisations. What was decided before keeps its decisions.

A digest made by the old rule covers the payload alone: what was still open or not yet carried out has lapsed and is
proposed again.
"""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q

from sheka.foundation.canonical import digest
from sheka.office.scope import whole_node
from sheka.office.sql import run_sql_file, scoped, scoped_by

STAFF = settings.AUTH_USER_MODEL
PROTECT = django.db.models.deletion.PROTECT


def carry_over(apps, schema_editor):
    schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with whole_node("a migration rewrites the rows of every organisation"):
        for proposal in apps.get_model("approvals", "Proposal").objects.select_related("author"):
            _carry_over(apps, proposal)


def _carry_over(apps, proposal):
    def person(staff):
        return digest({"person": staff.person_id, "request": proposal.number})

    proposal.number = uuid.uuid4()
    proposal.origin = proposal.organisation_id
    step = {"organisation": proposal.organisation_id, "permission": "", "zh": "审批", "en": "Approval"}
    step |= {"people": proposal.needed, "confirm": False, "days": 30}
    proposal.route = {"steps": [step], "days": 30, "completion_days": 30, "carry_out_days": 30, "resume": "first"}
    if proposal.state in ("open", "approved"):
        proposal.state = "expired"
    proposal.ended_at = proposal.expires_at
    proposal.save()
    if proposal.author is not None:
        apps.get_model("approvals", "Version").objects.create(
            proposal=proposal,
            number=1,
            payload=proposal.payload,
            digest=proposal.digest,
            staff=proposal.author,
            name=proposal.author.name,
            person=person(proposal.author),
            made_at=proposal.made_at,
        )
    for decision in proposal.decisions.select_related("staff"):
        decision.place, decision.name = proposal.organisation_id, decision.staff.name
        decision.person = person(decision.staff)
        decision.save()


def added(model, name, field, *, keep=True):
    return migrations.AddField(model, name, field, preserve_default=keep)


class Migration(migrations.Migration):
    dependencies = [
        ("approvals", "0002_scope"),
        ("organisations", "0002_scope"),
        ("staff", "0001_initial"),
        ("work", "0001_initial"),
    ]
    operations = [
        migrations.RemoveConstraint("proposal", "approvals_needed"),
        migrations.RemoveConstraint("decision", "approvals_one_person_once"),
        migrations.AlterModelOptions("proposal", {"ordering": ("-made_at", "-pk")}),
        migrations.AlterModelOptions("decision", {"ordering": ("decided_at", "pk")}),
        added("proposal", "number", models.UUIDField(null=True)),
        added("proposal", "origin", models.CharField(max_length=20, default=""), keep=False),
        added("proposal", "route", models.JSONField(default=dict), keep=False),
        added("proposal", "version", models.PositiveSmallIntegerField(default=1)),
        added("proposal", "step", models.PositiveSmallIntegerField(default=0)),
        added("proposal", "turn", models.CharField(max_length=20, default=""), keep=False),
        added("proposal", "permission", models.CharField(max_length=60, default=""), keep=False),
        added(
            "proposal",
            "assignee",
            models.ForeignKey(STAFF, null=True, on_delete=PROTECT, related_name="assigned_proposals"),
        ),
        added("proposal", "serial", models.PositiveIntegerField(default=1)),
        added("proposal", "withdrawal_asked_at", models.DateTimeField(null=True)),
        added("proposal", "result", models.JSONField(default=dict)),
        added("proposal", "due_at", models.DateTimeField(null=True)),
        added("proposal", "ended_at", models.DateTimeField(null=True)),
        migrations.CreateModel(
            "Version",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveSmallIntegerField()),
                ("payload", models.JSONField()),
                ("digest", models.CharField(max_length=64)),
                ("name", models.CharField(max_length=80)),
                ("person", models.CharField(max_length=64)),
                ("note", models.TextField(default="")),
                ("made_at", models.DateTimeField()),
                ("proposal", models.ForeignKey("approvals.proposal", on_delete=PROTECT, related_name="versions")),
                ("staff", models.ForeignKey(STAFF, null=True, on_delete=PROTECT, related_name="+")),
            ],
            options={"ordering": ("number",)},
        ),
        migrations.CreateModel(
            "Delegation",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("permission", models.CharField(max_length=60)),
                ("reason", models.CharField(max_length=200)),
                ("valid_from", models.DateField()),
                ("valid_to", models.DateField()),
                ("made_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("organisation", models.ForeignKey("organisations.organisation", on_delete=PROTECT, related_name="+")),
                ("lender", models.ForeignKey(STAFF, on_delete=PROTECT, related_name="lent")),
                ("delegate", models.ForeignKey(STAFF, on_delete=PROTECT, related_name="borrowed")),
            ],
            options={"ordering": ("-made_at",)},
        ),
        migrations.RenameField("decision", "person_id", "person"),
        migrations.AlterField("decision", "person", models.CharField(max_length=64)),
        migrations.AlterField("decision", "verdict", models.CharField(max_length=10)),
        migrations.AlterField(
            "decision", "staff", models.ForeignKey(STAFF, null=True, on_delete=PROTECT, related_name="decisions")
        ),
        added("decision", "version", models.PositiveSmallIntegerField(default=1), keep=False),
        added("decision", "step", models.PositiveSmallIntegerField(default=0), keep=False),
        added("decision", "place", models.CharField(max_length=20, default=""), keep=False),
        added("decision", "name", models.CharField(max_length=80, default=""), keep=False),
        added("decision", "lender", models.ForeignKey(STAFF, null=True, on_delete=PROTECT, related_name="+")),
        added("decision", "lender_name", models.CharField(max_length=80, default="")),
        added("decision", "lender_person", models.CharField(max_length=64, default="")),
        migrations.RunPython(carry_over, elidable=True),
        migrations.RemoveField("proposal", "needed"),
        migrations.AlterField("proposal", "number", models.UUIDField(default=uuid.uuid4)),
        migrations.AddConstraint(
            "proposal", models.UniqueConstraint(fields=("number", "organisation"), name="approvals_copy_once")
        ),
        migrations.AddIndex(
            "proposal",
            models.Index(
                fields=("organisation", "permission", "due_at"),
                condition=Q(state="open", turn=F("organisation")),
                name="approvals_to_decide",
            ),
        ),
        migrations.AddIndex(
            "proposal",
            models.Index(fields=("due_at",), condition=Q(due_at__isnull=False), name="approvals_due"),
        ),
        migrations.AddConstraint(
            "version", models.UniqueConstraint(fields=("proposal", "number"), name="approvals_version_once")
        ),
        migrations.AddConstraint(
            "decision",
            models.UniqueConstraint(fields=("proposal", "version", "person"), name="approvals_one_person_once"),
        ),
        migrations.AddConstraint(
            "decision",
            models.CheckConstraint(
                condition=Q(verdict__in=("approve", "supplement", "reject")), name="approvals_verdict"
            ),
        ),
        migrations.AddConstraint(
            "delegation",
            models.CheckConstraint(condition=Q(valid_to__gt=F("valid_from")), name="approvals_lent_dates"),
        ),
        scoped_by("approvals_version", "proposal_id", "approvals_proposal"),
        scoped("approvals_delegation"),
        run_sql_file(__file__, "guards.sql"),
    ]
