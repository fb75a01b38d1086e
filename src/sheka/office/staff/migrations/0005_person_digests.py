"""The numbers of people appointed before there was a person key become digests, as those appointed since."""

import re

from django.db import migrations

from sheka.office.scope import whole_node
from sheka.office.staff.persons import CHARACTERS, person_digest

DIGEST = re.compile(f"[0-9a-f]{{{CHARACTERS}}}")


def digest_numbers(apps, schema_editor):
    people = apps.get_model("staff", "StaffMember")
    with whole_node("an upgrade is about everybody on the node"):
        for person in people.objects.only("person_id"):
            if not DIGEST.fullmatch(person.person_id):
                person.person_id = person_digest(person.person_id)
                person.save(update_fields=["person_id"])


class Migration(migrations.Migration):
    dependencies = [("staff", "0004_scope")]
    operations = [migrations.RunPython(digest_numbers, migrations.RunPython.noop, elidable=True)]
