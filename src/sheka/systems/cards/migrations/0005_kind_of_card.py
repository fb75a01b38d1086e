from django.db import migrations

from sheka.office.sql import run_sql_file


class Migration(migrations.Migration):
    dependencies = [("cards", "0004_registration")]
    operations = [run_sql_file(__file__, "holder.sql")]
