from django.db import migrations

from sheka.office.sql import run_sql_file, scoped, scoped_by


class Migration(migrations.Migration):
    dependencies = [("psams", "0001_initial"), ("organisations", "0002_scope")]
    operations = [
        scoped("psams_psam"),
        scoped_by("psams_psamfacts", "psam_id", "psams_psam"),
        scoped_by("psams_psamevent", "psam_id", "psams_psam"),
        run_sql_file(__file__, "psams.sql"),
    ]
