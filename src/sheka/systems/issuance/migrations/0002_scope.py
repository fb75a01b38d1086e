from django.db import migrations

from sheka.office.sql import scoped


class Migration(migrations.Migration):
    dependencies = [("issuance", "0001_initial"), ("organisations", "0002_scope")]
    operations = [scoped("issuance_application", "held_by_id"), scoped("issuance_issuer", "held_by_id")]
