from django.db import migrations

from sheka.office.sql import run_sql_file


class Migration(migrations.Migration):
    dependencies = [("organisations", "0001_initial")]
    operations = [run_sql_file(__file__, "scope.sql")]
