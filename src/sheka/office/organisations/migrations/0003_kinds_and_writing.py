from django.db import migrations, models

from sheka.office.organisations.models import Kind
from sheka.office.sql import run_sql_file


class Migration(migrations.Migration):
    dependencies = [("organisations", "0002_scope")]
    operations = [
        migrations.AlterField(
            model_name="organisation", name="kind", field=models.CharField(choices=Kind.choices, max_length=20)
        ),
        run_sql_file(__file__, "tree.sql"),
    ]
