import django.db.models.deletion
from django.db import migrations, models

from sheka.office.sql import run_sql_file, scoped


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_deposit_lines"), ("organisations", "0003_kinds_and_writing")]
    operations = [
        migrations.CreateModel(
            name="Moving",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reference", models.UUIDField()),
                ("side", models.CharField(choices=[("out", "out"), ("in", "in")], max_length=3)),
                ("other", models.CharField(max_length=20)),
                ("other_account", models.CharField(default="", max_length=29)),
                ("amount", models.BigIntegerField()),
                ("document", models.CharField(max_length=80)),
                ("proposal", models.UUIDField(null=True)),
                ("state", models.CharField(max_length=20)),
                ("made_at", models.DateTimeField()),
                ("settled_at", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="movings", to="accounts.account"
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
            ],
            options={
                "ordering": ("-pk",),
                "constraints": [
                    models.UniqueConstraint(fields=("reference", "side"), name="accounts_moving_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="LateMoney",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("amount", models.BigIntegerField()),
                ("posting", models.BigIntegerField(unique=True)),
                ("cause", models.BigIntegerField()),
                ("state", models.CharField(default="waiting", max_length=20)),
                ("proposal", models.UUIDField(null=True)),
                ("at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="late_money",
                        to="accounts.account",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
            ],
            options={"ordering": ("-pk",)},
        ),
        scoped("accounts_moving"),
        scoped("accounts_latemoney"),
        run_sql_file(__file__, "moving.sql"),
    ]
