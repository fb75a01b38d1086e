from django.db import migrations

from sheka.office.sql import open_to, open_to_functions_for, run_sql_file, scoped, scoped_by


class Migration(migrations.Migration):
    dependencies = [("transactions", "0001_initial"), ("accounts", "0002_scope"), ("cards", "0002_scope")]
    operations = [
        scoped("transactions_institution"),
        scoped_by("transactions_terminal", "institution_id", "transactions_institution"),
        scoped_by(
            "transactions_transaction", "institution_id", "transactions_institution", written_by_functions=True
        ),
        open_to("transactions_institution", "sheka_switch"),
        open_to("transactions_terminal", "sheka_switch"),
        open_to_functions_for("transactions_institution", "sheka_switch"),
        open_to_functions_for("transactions_terminal", "sheka_switch"),
        open_to_functions_for("transactions_transaction", "sheka_switch"),
        run_sql_file(__file__, "switch_role.sql"),
    ]
