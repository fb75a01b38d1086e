from django.db import migrations

from sheka.office.sql import run_sql_file


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_posting")]
    operations = [run_sql_file(__file__, "balance_at.sql")]
