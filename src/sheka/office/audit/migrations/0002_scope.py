from django.db import migrations

from sheka.office.sql import open_to, open_to_functions_for, run_sql_file, scoped


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial"), ("organisations", "0002_scope")]
    operations = [
        scoped("audit_event"),
        open_to("audit_event", "sheka_auditor"),
        open_to_functions_for("audit_event", "sheka_app"),
        run_sql_file(__file__, "scope.sql"),
    ]
