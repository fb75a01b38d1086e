from django.db import migrations

from sheka.office.sql import run_sql_file


class Migration(migrations.Migration):
    dependencies = [("transactions", "0005_blocks_scope"), ("keys", "0003_life")]
    operations = [run_sql_file(__file__, "machines.sql")]
