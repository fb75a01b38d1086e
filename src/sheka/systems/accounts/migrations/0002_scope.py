from django.db import migrations

from sheka.office.sql import open_to, open_to_functions_for, scoped, scoped_by


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial"), ("organisations", "0002_scope")]
    operations = [
        scoped("accounts_account"),
        scoped_by("accounts_entry", "account_id", "accounts_account"),
        scoped("accounts_transfer"),
        open_to("accounts_account", "sheka_ledger", writing=True),
        open_to("accounts_entry", "sheka_ledger", writing=True),
        open_to_functions_for("accounts_transfer", "sheka_app"),  # a client's number is used once on the whole node
    ]
