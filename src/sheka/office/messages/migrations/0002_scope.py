from django.db import migrations

from sheka.office.sql import scoped


class Migration(migrations.Migration):
    dependencies = [("office_messages", "0001_initial"), ("organisations", "0002_scope")]
    operations = [
        scoped("office_messages_source"),
        scoped("office_messages_outbox", "source"),
        scoped("office_messages_inbox", "recipient"),
    ]
