from django.db import migrations

from sheka.office.sql import scoped, scoped_by


class Migration(migrations.Migration):
    dependencies = [
        ("staff", "0003_enrolment_codes"),
        ("organisations", "0002_scope"),
        ("otp_totp", "0003_add_timestamps"),
    ]
    operations = [
        scoped("staff_staffmember"),
        scoped_by("staff_grant", "staff_id", "staff_staffmember"),
        scoped_by("otp_totp_totpdevice", "user_id", "staff_staffmember"),
    ]
