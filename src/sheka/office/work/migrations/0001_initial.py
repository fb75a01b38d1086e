import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

from sheka.office.sql import scoped

OPEN = Q(state="open")
POOL = ["organisation", "permission", "due_on", "id"]


class Migration(migrations.Migration):
    initial = True
    dependencies = [("organisations", "0002_scope"), ("staff", "0001_initial")]
    operations = [
        migrations.CreateModel(
            name="WorkItem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=60)),
                ("subject", models.CharField(max_length=120)),
                ("number", models.CharField(db_collation="C", max_length=120)),
                ("permission", models.CharField(max_length=60)),
                ("title_zh", models.CharField(max_length=200)),
                ("title_en", models.CharField(max_length=200)),
                ("state", models.CharField(choices=[("open", "open"), ("waiting", "waiting"), ("done", "done")], default="open", max_length=10)),
                ("due_on", models.DateField(null=True)),
                ("returned", models.BooleanField(default=False)),
                ("waiting_until", models.DateField(null=True)),
                ("waiting_reason", models.CharField(blank=True, default="", max_length=200)),
                ("opened_at", models.DateTimeField()),
                ("opened_by", models.CharField(max_length=80)),
                ("closed_at", models.DateTimeField(null=True)),
                ("closed_by", models.BigIntegerField(null=True)),
                ("assignee", models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="work", to=settings.AUTH_USER_MODEL)),
                ("organisation", models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="organisations.organisation")),
            ],
            options={
                "ordering": ("due_on", "id"),
                "indexes": [
                    models.Index(condition=OPEN & Q(assignee__isnull=True), fields=POOL, name="work_item_pool"),
                    models.Index(condition=OPEN, fields=POOL, name="work_item_open"),
                    models.Index(condition=OPEN, fields=["organisation", "kind", "permission", "due_on", "id"], name="work_item_pool_kind"),
                    models.Index(condition=~Q(state="done"), fields=["organisation", "due_on", "id"], name="work_item_office"),
                    models.Index(condition=~Q(state="done"), fields=["organisation", "kind", "due_on", "id"], name="work_item_kind"),
                    models.Index(condition=~Q(state="done") & Q(assignee__isnull=False), fields=["organisation", "due_on", "id"], name="work_item_given"),
                    models.Index(condition=OPEN, fields=["assignee", "due_on", "id"], include=["organisation"], name="work_item_mine"),
                    models.Index(condition=OPEN & Q(returned=True), fields=["assignee", "due_on", "id"], name="work_item_returned"),
                    models.Index(condition=Q(state="waiting"), fields=["assignee", "waiting_until", "id"], name="work_item_wait"),
                    models.Index(condition=~Q(state="done"), fields=["number"], name="work_item_number"),
                    models.Index(condition=Q(state="done"), fields=["closed_by", "-closed_at", "-id"], name="work_item_recent"),
                ],
                "constraints": [
                    models.UniqueConstraint(condition=~Q(state="done"), fields=("kind", "subject", "organisation"), name="work_item_once"),
                    models.CheckConstraint(condition=(Q(state="done") & Q(closed_at__isnull=False)) | (~Q(state="done") & ~Q(closed_at__isnull=False)), name="work_item_closed"),
                    models.CheckConstraint(condition=(Q(state="waiting") & Q(waiting_until__isnull=False)) | (~Q(state="waiting") & ~Q(waiting_until__isnull=False)), name="work_item_waits"),
                ],
            },
        ),
        scoped("work_workitem"),
    ]
