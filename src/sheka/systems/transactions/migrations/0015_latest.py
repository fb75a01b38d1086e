from django.db import migrations


class Migration(migrations.Migration):
    """The search of the console shows the latest first and pages by key; a page of one is found by date and number."""

    dependencies = [("transactions", "0014_verbs")]
    operations = [
        migrations.RunSQL(
            "CREATE INDEX transactions_transaction_latest ON transactions_transaction (business_date, id)"
        )
    ]
