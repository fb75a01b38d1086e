from django.db import migrations

from sheka.office.sql import scoped, scoped_by


class Migration(migrations.Migration):
    dependencies = [("clearing", "0001_initial"), ("organisations", "0002_scope")]
    operations = [
        scoped("clearing_day"),
        scoped_by("clearing_acquirerfile", "day_id", "clearing_day"),
        scoped_by("clearing_acquirerline", "file_id", "clearing_acquirerfile"),
        scoped_by("clearing_net", "day_id", "clearing_day"),
    ]
