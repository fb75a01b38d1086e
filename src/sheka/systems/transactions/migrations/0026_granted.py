from django.db import migrations

from sheka.office.sql import run_sql_file


class Migration(migrations.Migration):
    """What a dispute gave back is not refunded once more."""

    dependencies = [("transactions", "0025_long_windows")]
    operations = [run_sql_file(__file__, "granted.sql")]
