from django.db import migrations

from sheka.office.sql import open_to, run_sql_file

OF_PARTNERS = ("partnerrequest", "partnerbatch", "partnerbatchline", "tracecounter")


class Migration(migrations.Migration):
    """Keys given out, requests of partners and offline numbers go when the policy no longer keeps them."""

    dependencies = [("transactions", "0018_offline_numbers")]
    operations = [
        run_sql_file(__file__, "old_rows.sql"),
        *(open_to(f"transactions_{table}", "sheka_ledger", writing=True) for table in OF_PARTNERS),
    ]
