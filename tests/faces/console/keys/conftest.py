"""Three machines that know each other, and people of each level at the console."""

import pytest
from tests.support.desks import signed_in
from tests.support.keys import machines, wanted, world
from tests.support.organisations import appoint, installer, tree

from sheka.office.staff.models import StaffMember

__all__ = ["appoint", "installer", "machines", "tree", "wanted", "world"]


@pytest.fixture
def at_desk(settings):
    """at_desk(actor, language) → a browser in which this person is signed in."""
    settings.ALLOWED_HOSTS = ["*"]
    return lambda actor, language="en": signed_in(StaffMember.objects.get(pk=actor.staff_id), language)
