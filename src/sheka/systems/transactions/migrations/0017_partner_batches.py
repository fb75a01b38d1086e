import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

from sheka.office.sql import scoped_by

KEPT = """
REVOKE DELETE ON transactions_partnerbatch, transactions_partnerbatchline FROM sheka_app;
"""


class Migration(migrations.Migration):
    dependencies = [("transactions", "0016_message_days")]

    operations = [
        migrations.CreateModel(
            name="PartnerBatch",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("client", models.CharField(max_length=24)),
                ("key", models.CharField(max_length=64)),
                ("request", models.CharField(max_length=64)),
                ("upload", models.BooleanField()),
                ("settlement_date", models.DateField()),
                ("after_upload", models.BooleanField(default=False)),
                (
                    "theirs",
                    django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), null=True, size=8),
                ),
                (
                    "ours",
                    django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), null=True, size=8),
                ),
                ("business_date", models.DateField()),
                ("stan", models.IntegerField(null=True)),
                ("at", models.DateTimeField()),
                ("state", models.CharField(default="kept", max_length=14)),
                ("refusal", models.IntegerField(default=0)),
                ("response_code", models.CharField(default="", max_length=2)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("answered_at", models.DateTimeField(null=True)),
                (
                    "institution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="transactions.institution",
                    ),
                ),
                (
                    "terminal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="transactions.terminal",
                    ),
                ),
            ],
            options={"ordering": ("-id",)},
        ),
        migrations.CreateModel(
            name="PartnerBatchLine",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("place", models.PositiveSmallIntegerField()),
                ("amount", models.BigIntegerField()),
                ("stan", models.IntegerField()),
                ("state", models.CharField(default="kept", max_length=10)),
                ("refusal", models.IntegerField(default=0)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                (
                    "about",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="transactions.partnerrequest",
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="transactions.partnerbatch",
                    ),
                ),
            ],
            options={"ordering": ("place",)},
        ),
        migrations.AddConstraint(
            model_name="partnerbatch",
            constraint=models.UniqueConstraint(fields=("institution", "key"), name="transactions_partnerbatch_once"),
        ),
        migrations.AddConstraint(
            model_name="partnerbatch",
            constraint=models.UniqueConstraint(
                fields=("terminal", "business_date", "stan"), name="transactions_partnerbatch_stan"
            ),
        ),
        migrations.AddConstraint(
            model_name="partnerbatchline",
            constraint=models.UniqueConstraint(fields=("batch", "place"), name="transactions_partnerbatchline_once"),
        ),
        migrations.RunSQL(KEPT),
        scoped_by("transactions_partnerbatch", "institution_id", "transactions_institution"),
        scoped_by("transactions_partnerbatchline", "batch_id", "transactions_partnerbatch"),
    ]
