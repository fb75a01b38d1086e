from django.db import migrations

from sheka.office.sql import open_to, run_sql_file, scoped, scoped_by


class Migration(migrations.Migration):
    dependencies = [
        ("transactions", "0004_terminalpsam_block_psamalarm_psamuse"),
        ("organisations", "0002_scope"),
    ]
    operations = [
        scoped("transactions_block"),
        scoped_by("transactions_terminalpsam", "terminal_id", "transactions_terminal"),
        scoped_by("transactions_psamuse", "terminal_id", "transactions_terminal"),
        scoped_by("transactions_psamalarm", "terminal_id", "transactions_terminal"),
        open_to("transactions_block", "sheka_ledger"),
        open_to("transactions_terminalpsam", "sheka_ledger"),
        open_to("transactions_psamuse", "sheka_ledger", writing=True),
        open_to("transactions_psamalarm", "sheka_ledger", writing=True),
        run_sql_file(__file__, "blocks.sql"),
    ]
