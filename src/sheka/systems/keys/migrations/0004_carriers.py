"""What went over the network before carriers stays readable: one consignment for what was sent together (ADR 19)."""

from itertools import groupby

from django.db import migrations

from sheka.office.scope import whole_node
from sheka.office.sql import run_sql_file, scoped

TOLD = ("name", "usage", "owner_level", "factor", "parent_check_value", "check_value")
STATES = {"imported": "imported", "acknowledged": "acknowledged"}
UNFINISHED = "sent over the network before carriers were used; to be sent anew"


def together(row):
    return row.held_by_id, row.sender, row.recipient, row.algorithm, row.version


def carry_over(apps, schema_editor):
    schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    consignments = apps.get_model("keys", "Consignment").objects
    with whole_node("a migration rewrites the rows of every organisation"):
        rows = sorted(apps.get_model("keys", "Delivery").objects.all(), key=lambda row: (*together(row), row.name))
        for (held_by, sender, recipient, algorithm, version), group in groupby(rows, key=together):
            found = list(group)
            states = {STATES.get(row.state, "disputed") for row in found}
            state = states.pop() if len(states) == 1 else "disputed"
            consignments.create(
                number=min(row.number for row in found),
                held_by_id=held_by,
                sender=sender,
                recipient=recipient,
                algorithm=algorithm,
                version=version,
                way="network",
                content=[{name: getattr(row, name) for name in TOLD} for row in found],
                state=state,
                remark=UNFINISHED if state == "disputed" else "",
                loaded_at=min(row.at for row in found),
                since=max(row.at for row in found),
            )


class Migration(migrations.Migration):
    dependencies = [("keys", "0003_life"), ("organisations", "0003_kinds_and_writing")]
    operations = [
        scoped("keys_consignment", "held_by_id"),
        scoped("keys_keymove"),
        run_sql_file(__file__, "keys.sql"),
        migrations.RunPython(carry_over, elidable=True),
        migrations.DeleteModel("Delivery"),
    ]
