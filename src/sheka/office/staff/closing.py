"""An organisation is not closed while people hold roles there."""

from __future__ import annotations

from django.utils import timezone

from sheka.office.organisations.closing import keeps_open
from sheka.office.staff.models import Grant


@keeps_open("仍有授权的人员", "people with roles")
def people_with_roles(code: str) -> int:
    """Active accounts with a grant that counts today or later."""
    grants = Grant.objects.filter(staff__organisation_id=code, staff__is_active=True, valid_to__gt=timezone.localdate())
    return grants.values("staff").distinct().count()
