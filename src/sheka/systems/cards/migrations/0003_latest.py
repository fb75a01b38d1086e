from django.db import migrations, models
from django.db.models import F


class Migration(migrations.Migration):
    dependencies = [("cards", "0002_scope")]
    operations = [
        migrations.AddIndex("card", models.Index(F("issued_on").desc(), "id", name="cards_card_latest")),
    ]
