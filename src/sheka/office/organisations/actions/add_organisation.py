"""Add an organisation to the tree."""

from __future__ import annotations

from datetime import date

from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.organisations.models import Kind, Organisation
from sheka.office.organisations.places import must_be_a_code, must_fit
from sheka.office.organisations.queries import lock_tree, must_be_in_force, organisation, path_label
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.office.work.search import keep_names


@action(Permission.ORGANISATION_MANAGE)
def add_organisation(
    actor: Actor, *, code: str, name: str, name_en: str, kind: Kind, region: str, parent: str | None, valid_from: date
) -> Organisation:
    """Put a new organisation below `parent` (None only for the root).

    Raises Refused: ORGANISATION_EXISTS, ORGANISATION_NEEDS_PARENT, ORGANISATION_OUT_OF_REACH, ORGANISATION_WRONG_PLACE,
    ORGANISATION_CODE, ORGANISATION_NOT_IN_FORCE (a closed superior).
    """
    lock_tree()
    if Organisation.objects.filter(code=code).exists():
        raise Refused(Code.ORGANISATION_EXISTS, organisation=code)
    above = organisation(parent) if parent else None
    if above is not None:
        actor.must_act_for(above)
        must_be_in_force(above.code, max(valid_from, timezone.localdate()))
    elif Organisation.objects.exists():
        raise Refused(Code.ORGANISATION_NEEDS_PARENT, organisation=name)
    must_fit(Kind(kind), above)
    must_be_a_code(code, Kind(kind), region)
    path = f"{above.path}.{path_label(code)}" if above else path_label(code)
    added = Organisation.objects.create(
        code=code, name=name, name_en=name_en, kind=kind, region=region, parent=above, path=path, valid_from=valid_from
    )
    keep_names("organisation", [(code, code, name), (code, code, name_en)])
    record(actor, "organisation.added", f"organisation:{code}", name=name, kind=kind, parent=parent)
    return added
