from django.db import migrations

from sheka.office.sql import run_sql_file


class Migration(migrations.Migration):
    """The next stretches are made beside the bookings, not in place of them."""

    dependencies = [("accounts", "0009_stretches")]
    operations = [run_sql_file(__file__, "stretches_lock.sql")]
