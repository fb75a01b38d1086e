from django.db import migrations

from sheka.office.sql import run_sql_file, scoped, scoped_by

PARTS = ("affected", "followup", "deadline", "receipt", "entry")


class Migration(migrations.Migration):
    dependencies = [("incidents", "0001_initial"), ("organisations", "0002_scope")]
    operations = [
        scoped("incidents_incident"),
        scoped("incidents_plan"),
        scoped("incidents_drill"),
        *(scoped_by(f"incidents_{part}", "incident_id", "incidents_incident") for part in PARTS),
        run_sql_file(__file__, "guards.sql"),
    ]
