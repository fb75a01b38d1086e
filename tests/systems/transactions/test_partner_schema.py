"""schemathesis over the partners' operations, as a partner, against a real switch: every answer as described (S4)."""

from __future__ import annotations

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import CHECKS, load_all_checks
from tests.systems.transactions.test_partner_requests import hospital, online

__all__ = ["hospital", "online"]
load_all_checks()
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("S4")]
schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application())
schema.config.generation.update(allow_x00=False)
OUR_OWN = [CHECKS.get_one("positive_data_acceptance"), CHECKS.get_one("negative_data_rejection")]


@schema.include(path_regex="/partner/").parametrize()
@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_a_partner_gets_what_is_described(case, hospital, online):
    case.call_and_validate(headers={"Authorization": f"Bearer {hospital.token}"}, excluded_checks=OUR_OWN)
