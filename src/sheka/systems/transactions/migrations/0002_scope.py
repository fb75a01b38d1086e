from django.db import migrations

from sheka.office.sql import open_to, run_sql_file, scoped, scoped_by


class Migration(migrations.Migration):
    dependencies = [("transactions", "0001_initial"), ("accounts", "0002_scope"), ("cards", "0002_scope")]
    operations = [
        scoped("transactions_institution"),
        scoped_by("transactions_terminal", "institution_id", "transactions_institution"),
        scoped_by("transactions_transaction", "institution_id", "transactions_institution"),
        open_to("transactions_institution", "sheka_switch"),
        open_to("transactions_terminal", "sheka_switch"),
        open_to("transactions_institution", "sheka_ledger"),
        open_to("transactions_terminal", "sheka_ledger"),
        open_to("transactions_transaction", "sheka_ledger", writing=True),
        run_sql_file(__file__, "switch_role.sql"),
    ]
