from django.db import migrations

from sheka.office.sql import run_sql_file


class Migration(migrations.Migration):
    """The bureau may give an institution the MAC key with which its line begins."""

    dependencies = [("transactions", "0022_undone")]
    operations = [run_sql_file(__file__, "starting_keys.sql")]
