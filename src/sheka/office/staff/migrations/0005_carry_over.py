"""What was appointed before the roles had the field's names and people's numbers were digests is carried over.

The old system administrator appointed people and granted roles: that is the security administrator now.
"""

import re

from django.db import migrations

from sheka.office.scope import whole_node
from sheka.office.staff.persons import CHARACTERS, person_digest

DIGEST = re.compile(f"[0-9a-f]{{{CHARACTERS}}}")
ROLES = {"card_clerk": "clerk", "key_approver": "approver", "system_administrator": "security_administrator"}


def carry_over(apps, schema_editor):
    people, grants = apps.get_model("staff", "StaffMember"), apps.get_model("staff", "Grant")
    with whole_node("an upgrade is about everybody on the node"):
        for person in people.objects.only("person_id"):
            if not DIGEST.fullmatch(person.person_id):
                person.person_id = person_digest(person.person_id)
                person.save(update_fields=["person_id"])
        for old, new in ROLES.items():
            grants.objects.filter(role=old).update(role=new)


class Migration(migrations.Migration):
    dependencies = [("staff", "0004_scope")]
    operations = [migrations.RunPython(carry_over, migrations.RunPython.noop, elidable=True)]
