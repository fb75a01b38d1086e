import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

from sheka.office.sql import scoped


class Migration(migrations.Migration):
    dependencies = [("work", "0001_initial")]
    operations = [
        migrations.CreateModel(
            name="WorkNotice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=60)),
                ("subject", models.CharField(max_length=120)),
                ("text_zh", models.CharField(max_length=300)),
                ("text_en", models.CharField(max_length=300)),
                ("at", models.DateTimeField()),
                ("read_at", models.DateTimeField(null=True)),
                ("escalated_at", models.DateTimeField(null=True)),
                ("organisation", models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="organisations.organisation")),
                ("staff", models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL)),
            ],
            options={
                "db_table": "work_notice",
                "ordering": ("-pk",),
                "indexes": [
                    models.Index(fields=["staff", "-id"], name="work_notice_of"),
                    models.Index(condition=Q(read_at__isnull=True), fields=["staff"], name="work_notice_unread"),
                    models.Index(condition=Q(read_at__isnull=True, escalated_at__isnull=True), fields=["kind", "at"], name="work_notice_late"),
                ],
            },
        ),
        migrations.CreateModel(
            name="SearchTerm",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=20)),
                ("key", models.CharField(max_length=40)),
                ("term", models.CharField(db_collation="C", max_length=200)),
                ("organisation", models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="organisations.organisation")),
            ],
            options={
                "db_table": "work_search_term",
                "ordering": ("term", "pk"),
                "indexes": [models.Index(fields=["kind", "term"], name="work_search_term_found")],
                "constraints": [models.UniqueConstraint(fields=("kind", "key", "term"), name="work_search_term_once")],
            },
        ),
        scoped("work_notice"),
        migrations.RunSQL(
            "CREATE POLICY work_notice_reader ON work_notice AS RESTRICTIVE"
            " USING (current_setting('sheka.reader', true) IN (staff_id::text, '*'))"
        ),
        scoped("work_search_term"),
    ]
