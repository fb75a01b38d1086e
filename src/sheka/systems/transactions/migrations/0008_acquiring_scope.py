from django.db import migrations

from sheka.office.sql import open_to, run_sql_file, scoped, scoped_by


class Migration(migrations.Migration):
    dependencies = [("transactions", "0007_acquiring"), ("organisations", "0002_scope")]
    operations = [
        run_sql_file(__file__, "acquiring.sql"),
        scoped("transactions_testcard"),
        scoped_by("transactions_certificate", "institution_id", "transactions_institution"),
        scoped_by("transactions_onboarding", "institution_id", "transactions_institution"),
        scoped_by("transactions_partnerrequest", "institution_id", "transactions_institution"),
        scoped_by("transactions_trial", "terminal_id", "transactions_terminal"),
        scoped_by("transactions_tracecounter", "terminal_id", "transactions_terminal"),
        open_to("transactions_testcard", "sheka_ledger"),
        open_to("transactions_trial", "sheka_ledger", writing=True),
    ]
