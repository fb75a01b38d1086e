from django.db import migrations

from sheka.office.sql import scoped


class Migration(migrations.Migration):
    dependencies = [("keys", "0001_initial"), ("organisations", "0002_scope")]
    operations = [
        scoped("keys_machine", readable=True),  # public keys: a subordinate checks its superior's envelopes with them
        scoped("keys_key"),
        scoped("keys_delivery", "held_by_id"),
    ]
