from django.db import migrations


class Migration(migrations.Migration):
    """Requests without an answer are looked for every few seconds: they have an index of their own (S10)."""

    dependencies = [("exceptions", "0003_case_life"), ("transactions", "0010_messages")]
    operations = [
        migrations.RunSQL(
            "CREATE INDEX transactions_message_unanswered ON transactions_message (came_at)"
            " WHERE went_at IS NULL OR refusal = 4430"
        )
    ]
