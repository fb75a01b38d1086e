from django.db import migrations


class Migration(migrations.Migration):
    """What the explorer asks for: one kind of event, some days."""

    dependencies = [("audit", "0002_scope")]
    operations = [
        migrations.RunSQL("CREATE INDEX audit_event_event ON audit_event (event, sequence)"),
        migrations.RunSQL("CREATE INDEX audit_event_at ON audit_event USING brin (at)"),
    ]
