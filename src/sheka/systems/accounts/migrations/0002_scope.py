from django.db import migrations

from sheka.office.sql import open_to_functions_for, scoped, scoped_by


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial"), ("organisations", "0002_scope")]
    operations = [
        scoped("accounts_account"),
        scoped_by("accounts_entry", "account_id", "accounts_account", written_by_functions=True),
        scoped("accounts_transfer"),
        open_to_functions_for("accounts_account", "sheka_switch", writing=True),
        open_to_functions_for("accounts_transfer", "sheka_app"),  # a client's number is used once on the whole node
    ]
