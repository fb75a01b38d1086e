from django.db import migrations

from sheka.office.sql import run_sql_file


class Migration(migrations.Migration):
    """A statement is cut by the numbers of postings: each begins with what the one before ended with."""

    dependencies = [("accounts", "0010_stretches_lock")]
    operations = [run_sql_file(__file__, "posting_before.sql")]
