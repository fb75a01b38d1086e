from django.db import migrations, models

from sheka.office.sql import open_to, run_sql_file, scoped


class Migration(migrations.Migration):
    dependencies = [("transactions", "0009_kinds"), ("organisations", "0002_scope")]
    operations = [
        migrations.CreateModel(
            name="ProcessPulse",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "span", "at", "process", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("at", models.DateTimeField()),
                ("span", models.SmallIntegerField()),
                ("process", models.TextField()),
                ("lines", models.IntegerField()),
                ("queue", models.IntegerField()),
                ("batches", models.IntegerField()),
                ("requests", models.IntegerField()),
                ("largest", models.IntegerField()),
                ("machine", models.BigIntegerField()),
                ("base", models.BigIntegerField()),
                ("cpu", models.BigIntegerField()),
                ("kept", models.BigIntegerField()),
                ("dropped", models.BigIntegerField()),
            ],
            options={"db_table": "transactions_pulse_process", "ordering": ("at",), "managed": False},
        ),
        migrations.CreateModel(
            name="Pulse",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "span",
                        "at",
                        "process",
                        "organisation_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("at", models.DateTimeField()),
                ("span", models.SmallIntegerField()),
                ("process", models.TextField()),
                ("answers", models.JSONField()),
                ("latency", models.JSONField()),
            ],
            options={"db_table": "transactions_pulse", "ordering": ("at",), "managed": False},
        ),
        migrations.CreateModel(
            name="SwitchMessage",
            fields=[
                ("id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("came_at", models.DateTimeField()),
                ("went_at", models.DateTimeField(null=True)),
                ("day", models.DateField()),
                ("stan", models.IntegerField(null=True)),
                ("refusal", models.IntegerField(null=True)),
                ("size", models.IntegerField()),
                ("terminal", models.TextField()),
                ("type", models.TextField()),
                ("process", models.TextField()),
                ("line", models.TextField()),
                ("request", models.BinaryField()),
                ("answer", models.BinaryField(null=True)),
            ],
            options={"db_table": "transactions_message", "ordering": ("came_at", "id"), "managed": False},
        ),
        run_sql_file(__file__, "messages.sql"),
        scoped("transactions_message"),
        scoped("transactions_pulse"),
        open_to("transactions_message", "sheka_ledger", writing=True),
        open_to("transactions_pulse", "sheka_ledger", writing=True),
    ]
