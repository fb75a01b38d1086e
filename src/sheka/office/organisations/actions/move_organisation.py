"""Move an organisation with everything below it under another superior."""

from __future__ import annotations

from django.db import connection

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.organisations.models import Kind, Organisation
from sheka.office.organisations.places import NAMES, NOWHERE, must_fit
from sheka.office.organisations.queries import lock_tree, must_be_in_force, organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission

_REWRITE = """
UPDATE organisations_organisation SET
    path = %(above)s::text::ltree || subpath(path, nlevel(%(old)s::text::ltree) - 1),
    parent_id = CASE WHEN code = %(code)s THEN %(parent)s ELSE parent_id END
WHERE path <@ %(old)s::text::ltree
"""


@action(Permission.ORGANISATION_MANAGE)
def move_organisation(actor: Actor, *, code: str, to: str, reason: str) -> Organisation:
    """Hang the organisation under `to`. Codes stay, so people and rows go with it; only paths are rewritten.

    The actor acts for the old and for the new superior: it stands above both. Raises Refused:
    ORGANISATION_OUT_OF_REACH, ORGANISATION_UNDER_ITSELF, ORGANISATION_WRONG_PLACE, ORGANISATION_NOT_IN_FORCE,
    ORGANISATION_SAME, STAFF_REASON.
    """
    if not reason.strip():
        raise Refused(Code.STAFF_REASON)
    lock_tree()
    moved, above = organisation(code), organisation(to)
    before = moved.parent
    if before is None:
        raise Refused(Code.ORGANISATION_WRONG_PLACE, kind=NAMES[Kind(moved.kind)], parent=NOWHERE)
    actor.must_act_for(before)
    actor.must_act_for(above)
    if above.path == moved.path or above.path.startswith(moved.path + "."):
        raise Refused(Code.ORGANISATION_UNDER_ITSELF, organisation=moved.name)
    if before.code == above.code:
        raise Refused(Code.ORGANISATION_SAME, organisation=moved.name)
    must_fit(Kind(moved.kind), above)
    for place in (moved, above):
        must_be_in_force(place.code)
    with connection.cursor() as cursor:
        cursor.execute(_REWRITE, {"above": above.path, "old": moved.path, "code": code, "parent": to})
        count = cursor.rowcount
    record(
        actor,
        "organisation.moved",
        f"organisation:{code}",
        before=before.code,
        after=to,
        organisations=count,
        reason=reason.strip(),
    )
    return organisation(code)
