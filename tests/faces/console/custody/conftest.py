"""The custodian's desk, asked in this process, with people of three levels and carriers in Hainan."""

import pytest
from tests.support.carriers import approved_order, at_province, handed, node, people
from tests.support.desks import signed_in
from tests.support.organisations import appoint, installer, tree

from sheka.office.staff.models import StaffMember

__all__ = ["appoint", "approved_order", "at_province", "handed", "installer", "node", "people", "tree"]


@pytest.fixture
def desk(people, node):
    """desk("p-keeper", language="en") → this person at a browser of this process."""
    return lambda login, language="en": signed_in(StaffMember.objects.get(login=login), language)
