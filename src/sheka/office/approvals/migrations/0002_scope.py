from django.db import migrations

from sheka.office.sql import scoped, scoped_by


class Migration(migrations.Migration):
    dependencies = [("approvals", "0001_initial"), ("organisations", "0002_scope")]
    operations = [
        scoped("approvals_proposal"),
        scoped_by("approvals_decision", "proposal_id", "approvals_proposal"),
    ]
