from django.db import migrations

from sheka.office.sql import run_sql_file


class Migration(migrations.Migration):
    dependencies = [("transactions", "0015_latest")]
    operations = [run_sql_file(__file__, "message_days.sql")]
