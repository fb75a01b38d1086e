import django.db.models.deletion
from django.db import migrations, models

from sheka.office.sql import open_to, run_sql_file, scoped


class Migration(migrations.Migration):
    dependencies = [("organisations", "0003_kinds_and_writing"), ("transactions", "0019_old_rows")]
    operations = [
        migrations.CreateModel(
            name="PinZone",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("acquirer_reference", models.CharField(max_length=64)),
                ("issuer_reference", models.CharField(max_length=64)),
                ("check_value", models.CharField(max_length=8)),
                ("made_at", models.DateTimeField()),
                (
                    "acquirer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "issuer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("acquirer", "issuer"), name="transactions_pinzone_once")
                ],
            },
        ),
        scoped("transactions_pinzone", "issuer_id"),
        open_to("transactions_pinzone", "sheka_ledger"),
        run_sql_file(__file__, "pin_zones.sql"),
    ]
