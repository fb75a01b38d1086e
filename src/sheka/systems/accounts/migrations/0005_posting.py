from django.db import migrations

from sheka.office.sql import run_sql_file


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_orders"), ("organisations", "0003_kinds_and_writing")]
    operations = [run_sql_file(__file__, "posting.sql")]
