from django.db import migrations

from sheka.office.sql import run_sql_file


class Migration(migrations.Migration):
    """A till's batch has all of a window that stayed open over a holiday."""

    dependencies = [("transactions", "0024_edge")]
    operations = [run_sql_file(__file__, "long_windows.sql")]
