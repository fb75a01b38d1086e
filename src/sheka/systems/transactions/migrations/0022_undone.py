from django.db import migrations

from sheka.office.sql import run_sql_file


class Migration(migrations.Migration):
    """A void is taken back only where what it undid still has room."""

    dependencies = [("transactions", "0021_offline_model")]
    operations = [run_sql_file(__file__, "undone.sql")]
