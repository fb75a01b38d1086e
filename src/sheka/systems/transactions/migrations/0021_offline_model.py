from django.db import migrations, models


class Migration(migrations.Migration):
    """The application sees which offline numbers were used at its institutions, and changes none."""

    dependencies = [("transactions", "0020_pin_zones")]
    operations = [
        migrations.CreateModel(
            name="OfflineNumber",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "business_date",
                        "terminal",
                        "card_number",
                        "sequence",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("business_date", models.DateField()),
                ("card_number", models.TextField()),
                ("sequence", models.BigIntegerField()),
                ("stan", models.IntegerField()),
            ],
            options={"db_table": "transactions_offline", "managed": False},
        ),
        migrations.RunSQL("GRANT SELECT ON transactions_offline TO sheka_app"),
    ]
