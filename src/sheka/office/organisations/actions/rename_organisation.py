"""Give an organisation another name; its code stays."""

from __future__ import annotations

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.organisations.models import Organisation
from sheka.office.organisations.queries import must_be_in_force, organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.office.work.search import keep_names


@action(Permission.ORGANISATION_MANAGE)
def rename_organisation(actor: Actor, *, code: str, name: str, name_en: str) -> Organisation:
    """The names from now on; the audit row keeps the old ones.

    Raises Refused: ORGANISATION_OUT_OF_REACH, ORGANISATION_NOT_IN_FORCE, ORGANISATION_SAME.
    """
    renamed = organisation(code)
    actor.must_act_for(renamed)
    must_be_in_force(code)
    name, name_en = name.strip(), name_en.strip()
    if (name, name_en) in {(renamed.name, renamed.name_en), ("", name_en), (name, "")}:
        raise Refused(Code.ORGANISATION_SAME, organisation=renamed.name)
    before = {"name_before": renamed.name, "name_en_before": renamed.name_en}
    renamed.name, renamed.name_en = name, name_en
    renamed.save(update_fields=["name", "name_en"])
    keep_names("organisation", [(code, code, name), (code, code, name_en)])
    record(actor, "organisation.renamed", f"organisation:{code}", name=name, name_en=name_en, **before)
    return renamed
