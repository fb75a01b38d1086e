from django.db import migrations, models


class Migration(migrations.Migration):
    """Transfers on institutions' accounts enter the net of the day that they were stamped with (S8, docs/adr/0035)."""

    dependencies = [("clearing", "0002_scope"), ("accounts", "0005_posting")]
    operations = [
        migrations.AddField("day", "adjusted", models.PositiveIntegerField(default=0)),
        migrations.AddField("day", "adjustments", models.BigIntegerField(default=0)),
        migrations.AddField("net", "adjusted", models.PositiveIntegerField(default=0)),
        migrations.AddField("net", "adjustments", models.BigIntegerField(default=0)),
    ]
