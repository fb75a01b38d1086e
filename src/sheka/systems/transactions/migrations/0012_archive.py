from django.db import migrations, models
import django.db.models.deletion

from sheka.office.sql import run_sql_file


class Migration(migrations.Migration):
    dependencies = [("transactions", "0011_lines")]
    operations = [
        migrations.CreateModel(
            name="Archive",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("business_date", models.DateField(unique=True)),
                ("state", models.CharField(default="attached", max_length=20)),
                ("rows", models.BigIntegerField()),
                ("amount", models.BigIntegerField()),
                ("moved", models.JSONField()),
                ("content", models.CharField(max_length=64)),
                ("digest", models.CharField(max_length=64)),
                ("seals", models.PositiveIntegerField()),
                ("seal_root", models.BinaryField()),
                ("public", models.BinaryField()),
                ("manifest", models.CharField(max_length=60)),
                ("bytes", models.BigIntegerField()),
                ("made_by", models.CharField(max_length=80)),
                ("made_at", models.DateTimeField()),
                ("detached_at", models.DateTimeField(null=True)),
                ("restored_at", models.DateTimeField(null=True)),
            ],
            options={"ordering": ("-business_date",)},
        ),
        migrations.CreateModel(
            name="ArchivedStretch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("stream", models.BigIntegerField()),
                ("first", models.BigIntegerField()),
                ("last", models.BigIntegerField()),
                (
                    "archive",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="stretches",
                        to="transactions.archive",
                    ),
                ),
            ],
            options={"indexes": [models.Index(fields=["stream", "first"], name="transactions_archived_first")]},
        ),
        run_sql_file(__file__, "partitions.sql"),
    ]
