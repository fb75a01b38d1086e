import django.db.models.deletion
from django.db import migrations, models

from sheka.office.sql import run_sql_file, scoped


class Migration(migrations.Migration):
    dependencies = [("cards", "0003_latest"), ("organisations", "0003_kinds_and_writing")]
    operations = [
        migrations.CreateModel(
            name="Registration",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("since", models.DateTimeField()),
                ("until", models.DateTimeField(null=True)),
                ("document", models.CharField(default="", max_length=80)),
                ("by", models.CharField(max_length=80)),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="registrations", to="cards.person"
                    ),
                ),
            ],
            options={
                "ordering": ("since", "pk"),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("until", None)), fields=("person",), name="cards_registration_one_now"
                    )
                ],
            },
        ),
        scoped("cards_registration"),
        run_sql_file(__file__, "registration.sql"),
    ]
