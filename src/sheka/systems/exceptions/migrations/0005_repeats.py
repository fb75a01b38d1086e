from django.db import migrations


class Migration(migrations.Migration):
    """Repeats tell of answers that were lost: they are looked for every few seconds, by an index of their own (S10)."""

    dependencies = [("exceptions", "0004_unanswered"), ("transactions", "0010_messages")]
    operations = [
        migrations.RunSQL(
            "CREATE INDEX transactions_message_repeated ON transactions_message (came_at)"
            " WHERE substr(type, 4, 1) = '1'"
        )
    ]
