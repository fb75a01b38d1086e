"""schemathesis over every operation, on the town's data: good and bad requests, no fault, every answer as described."""

from __future__ import annotations

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import CHECKS, load_all_checks
from tests.support.api import Partner, partner_of

from sheka.foundation.refusals import Code
from sheka.office.clients.models import Client
from sheka.office.clients.policy import client_policy
from sheka.office.staff.permissions import Permission

load_all_checks()


@schemathesis.serializer("application/pdf", "image/jpeg", "image/png")
def as_it_is(context, value):
    """A file is bytes."""
    return value if isinstance(value, bytes) else str(value).encode()


schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application())
schema.config.generation.update(allow_x00=False)  # no description can say it: a NUL is refused (test_conventions)
UNREAD = {code.value for code in (Code.API_FIELD, Code.API_JSON, Code.API_CONTENT_TYPE, Code.API_KEY_MISSING)}
REJECTED = {400, 401, 403, 404, 405, 409, 413, 415, 422}
BOUNDED = settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
OUR_OWN = [CHECKS.get_one("positive_data_acceptance"), CHECKS.get_one("negative_data_rejection")]


def read_when_valid_and_rejected_when_not(context, response, case):
    """What fits the description is read, whatever is then decided about it; what does not is refused."""
    if case.meta is None or case.meta.generation.mode.is_positive:
        if response.status_code >= 400:
            assert response.json()["code"] not in UNREAD, response.text
    else:
        assert response.status_code in REJECTED | {200, 201, 304} if _only_headers(case) else REJECTED, response.text


def _only_headers(case) -> bool:
    """Whether nothing but a header is bad: any text is a language, an id or a tag that is not known."""
    return not any(
        part.mode.is_negative
        for where, part in case.meta.components.items()
        if where.value in ("query", "path", "body")
    )


@pytest.fixture(scope="module")
def clients(town_here) -> dict[str, Partner]:
    """A client of Haikou with every scope, and one with none."""
    from sheka.faces.story.cast import HAIKOU, installer

    made = {"every": partner_of(installer(), HAIKOU), "none": partner_of(installer(), HAIKOU, [])}
    Client.objects.update(a_minute=10**6)
    return made


@schema.parametrize()
@BOUNDED
def test_a_client_with_every_scope(case, clients):
    """No fault on anything it sends, and every answer is one that the description names."""
    case.call_and_validate(
        headers={"Authorization": f"Bearer {clients['every'].token}"},
        additional_checks=[read_when_valid_and_rejected_when_not],
        excluded_checks=OUR_OWN,
    )


@schema.parametrize()
@settings(BOUNDED, phases=[Phase.explicit])
def test_a_client_without_scope(case, clients):
    """It is refused by number wherever a scope is needed, before anything it sent is looked at."""
    answer = case.call(headers={"Authorization": f"Bearer {clients['none'].token}"})
    case.validate_response(answer, excluded_checks=[*OUR_OWN, CHECKS.get_one("ignored_auth")])
    if case.operation.definition.raw["security"] and answer.status_code != 405:
        assert (answer.status_code, answer.json()["code"]) == (403, Code.PERMISSION_MISSING.value)


def test_every_scope_that_a_client_may_hold_opens_something():
    """A scope that no operation asks for would be granted for nothing."""
    opened = {
        scope
        for path in schema.raw_schema["paths"].values()
        for operation in path.values()
        for needed in operation.get("security", [])
        for scope in needed["client"]
    }
    assert frozenset().union(*client_policy().kinds.values()) == {Permission(scope) for scope in opened}


def test_every_operation_says_what_it_is_and_which_refusals_can_come():
    ids = set()
    for path, item in schema.raw_schema["paths"].items():
        for method, operation in item.items():
            ids.add(operation["operationId"])
            assert operation["summary"], path
            statuses = set(operation["responses"])
            assert {"400", "404", "405", "422", "500", "503"} <= statuses, (path, method)
            if operation["security"]:
                assert {"401", "403", "429"} <= statuses, (path, method)
            if method == "post":
                assert {"413", "415"} <= statuses, (path, method)
            for status, answer in operation["responses"].items():
                if status >= "400":
                    assert "application/problem+json" in answer["content"], (path, method, status)
    assert len(ids) == sum(len(item) for item in schema.raw_schema["paths"].values())
