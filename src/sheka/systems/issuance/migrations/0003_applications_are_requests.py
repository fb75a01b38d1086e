"""Applications become requests of the one engine. Those that had ended stay readable; the others are made again."""

from datetime import timedelta

from django.db import migrations

from sheka.office.scope import whole_node

ENDED = {"approved": "done", "filed": "done", "rejected": "rejected"}


def carry_over(apps, schema_editor):
    schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    proposals = apps.get_model("approvals", "Proposal").objects
    with whole_node("a migration rewrites the rows of every organisation"):
        for old in apps.get_model("issuance", "Application").objects.all():
            step = {"organisation": old.held_by_id, "permission": "", "zh": "审核", "en": "Review"}
            step |= {"people": 1, "confirm": False, "days": 20}
            proposals.create(
                number=old.number,
                organisation_id=old.held_by_id,
                origin=old.applicant,
                kind="issuance.apply",
                subject=f"issuer:{old.applicant}",
                route={"steps": [step], "days": 30, "completion_days": 30, "carry_out_days": 30, "resume": "first"},
                payload=old.payload,
                digest=old.digest,
                state=ENDED.get(old.state, "expired"),
                turn="",
                permission="",
                made_at=old.at,
                expires_at=old.at + timedelta(days=30),
                ended_at=old.at,
            )


class Migration(migrations.Migration):
    dependencies = [("issuance", "0002_scope"), ("approvals", "0003_engine")]
    operations = [migrations.RunPython(carry_over, elidable=True), migrations.DeleteModel("Application")]
