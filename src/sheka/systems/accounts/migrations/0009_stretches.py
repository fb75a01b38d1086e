from django.db import migrations

from sheka.office.sql import open_to, run_sql_file, scoped_by


class Migration(migrations.Migration):
    dependencies = [("accounts", "0008_moving")]
    operations = [
        run_sql_file(__file__, "stretches.sql"),
        scoped_by("accounts_entry", "account_id", "accounts_account"),
        open_to("accounts_entry", "sheka_ledger", writing=True),
    ]
