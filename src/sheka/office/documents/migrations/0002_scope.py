from django.db import migrations

from sheka.office.sql import run_sql_file, scoped


class Migration(migrations.Migration):
    dependencies = [("documents", "0001_initial"), ("organisations", "0002_scope")]
    operations = [
        run_sql_file(__file__, "documents.sql"),
        scoped("documents_document"),
        scoped("documents_paper"),
    ]
