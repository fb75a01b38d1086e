from django.db import migrations

from sheka.office.sql import run_sql_file, scoped, scoped_by


class Migration(migrations.Migration):
    dependencies = [("custody", "0001_initial"), ("organisations", "0002_scope")]
    operations = [
        scoped("custody_place"),
        scoped("custody_carrierorder"),
        scoped("custody_carrier"),
        scoped_by("custody_carrierevent", "carrier_id", "custody_carrier"),
        scoped("custody_vendorfiling"),
        scoped("custody_entrustment"),
        scoped_by("custody_supervisionreport", "entrustment_id", "custody_entrustment"),
        scoped("custody_handover"),
        scoped("custody_stockcount"),
        scoped_by("custody_countsheet", "count_id", "custody_stockcount"),
        scoped("custody_carrierdestruction"),
        scoped_by("custody_carrierdestructionitem", "destruction_id", "custody_carrierdestruction"),
        scoped_by("custody_carrierdestructionwitness", "destruction_id", "custody_carrierdestruction"),
        run_sql_file(__file__, "custody.sql"),
    ]
