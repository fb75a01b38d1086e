from django.db import migrations

from sheka.office.sql import run_sql_file


class Migration(migrations.Migration):
    """A void that is taken back counts for the day again; a batch that was answered is found under its number."""

    dependencies = [("transactions", "0023_starting_keys")]
    operations = [run_sql_file(__file__, "edge.sql")]
