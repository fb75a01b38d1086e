from django.db import migrations

from sheka.office.sql import open_to, run_sql_file, scoped_by


class Migration(migrations.Migration):
    """Offline numbers are used once; limits of payments know the kind of the card."""

    dependencies = [("transactions", "0017_partner_batches"), ("cards", "0005_kind_of_card")]
    operations = [
        run_sql_file(__file__, "offline.sql"),
        scoped_by("transactions_offline", "institution_id", "transactions_institution"),
        open_to("transactions_offline", "sheka_ledger", writing=True),
    ]
