from django.db import migrations

from sheka.office.sql import scoped, scoped_by

KEPT = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'sheka_app') THEN
        REVOKE UPDATE, DELETE, TRUNCATE ON ceremonies_seat, ceremonies_act FROM sheka_app;
        REVOKE DELETE, TRUNCATE ON ceremonies_ceremony FROM sheka_app;
    END IF;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("ceremonies", "0001_initial"), ("organisations", "0002_scope")]
    operations = [
        scoped("ceremonies_ceremony"),
        scoped_by("ceremonies_seat", "ceremony_id", "ceremonies_ceremony"),
        scoped_by("ceremonies_act", "ceremony_id", "ceremonies_ceremony"),
        migrations.RunSQL(KEPT),
    ]
