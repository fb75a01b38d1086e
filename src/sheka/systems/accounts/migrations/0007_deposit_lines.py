import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_balance_at")]
    operations = [
        migrations.AlterField(
            model_name="depositline",
            name="file",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="rows",
                to="accounts.depositfile",
            ),
        ),
    ]
