from django.db import migrations

from sheka.office.sql import run_sql_file


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [run_sql_file(__file__, "audit.sql")]
