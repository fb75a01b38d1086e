from django.db import migrations

from sheka.office.sql import scoped


class Migration(migrations.Migration):
    dependencies = [("exceptions", "0001_initial"), ("organisations", "0002_scope")]
    operations = [scoped("exceptions_exceptioncase")]
