from django.db import migrations

from sheka.office.sql import run_sql_file


class Migration(migrations.Migration):
    dependencies = [("transactions", "0013_ledger_window"), ("accounts", "0003_pending"), ("cards", "0002_scope")]
    operations = [
        run_sql_file(__file__, "limits.sql"),
        run_sql_file(__file__, "purchase_within.sql"),
        run_sql_file(__file__, "verbs.sql"),
        run_sql_file(__file__, "batches.sql"),
    ]
