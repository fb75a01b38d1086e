"""Issuing applications: city, province, ministry, each holding its own copy, told by messages (S2, I1-I4, I6)."""

from __future__ import annotations

import pytest

from sheka.foundation.refusals import Code, Refused
from sheka.office.messages.delivery import carry_all
from sheka.systems.cards.queries import right_to_issue
from sheka.systems.issuance.actions.approve_application import approve_application
from sheka.systems.issuance.actions.examine_application import examine_application
from sheka.systems.issuance.actions.submit_application import MATERIALS, submit_application
from sheka.systems.issuance.models import Application, Issuer

PAPERS = dict.fromkeys(MATERIALS, "on file")
LAYOUT = "ab" * 32


@pytest.fixture
def people(appoint):
    return {
        "clerk": appoint("clerk", "460100", "issuance_clerk"),
        "examiner": appoint("examiner", "460000", "examiner"),
        "reviewer": appoint("reviewer", "000000", "reviewer"),
    }


def apply(people, quantity=1000):
    return submit_application(
        people["clerk"], materials=PAPERS, quantity=quantity, layout_digest=LAYOUT, scope="Haikou, all residents"
    )


def states_of(application):
    return dict(Application.objects.filter(number=application.number).values_list("held_by_id", "state"))


def decided(people, application, **how):
    examine_application(
        people["examiner"], number=application.number, digest=application.digest, passes=True, reason="complete"
    )
    carry_all()
    issuer = approve_application(
        people["reviewer"], number=application.number, digest=application.digest, reason="meets the rules", **how
    )
    carry_all()
    return issuer


@pytest.mark.req("I1")
@pytest.mark.req("I2")
@pytest.mark.req("I3")
def test_an_application_passes_three_levels_and_comes_back_with_a_number(people):
    application = apply(people)
    assert states_of(application) == {"460100": "submitted"}
    carry_all()
    assert states_of(application) == {"460100": "submitted", "460000": "received"}
    issuer = decided(people, application, passes=True, filing_reference="REG-2026-0001")
    assert states_of(application) == {"460100": "approved", "460000": "examined", "000000": "filed"}
    assert issuer.number == "9156000002" + "460100"
    assert Issuer.objects.get(held_by_id="460100").number == issuer.number
    assert issuer.filing_reference == "REG-2026-0001"


@pytest.mark.req("I2")
def test_the_ministry_sees_nothing_that_the_province_has_not_passed(people):
    application = apply(people)
    carry_all()
    with pytest.raises(Refused) as early:
        approve_application(
            people["reviewer"], number=application.number, digest=application.digest, passes=True, reason=""
        )
    assert early.value.code is Code.ISSUANCE_UNKNOWN


@pytest.mark.req("I2")
def test_a_rejection_needs_a_reason_reaches_the_city_and_ends_there(people):
    application = apply(people)
    carry_all()
    decision = {"number": application.number, "digest": application.digest, "passes": False}
    with pytest.raises(Refused) as silent:
        examine_application(people["examiner"], **decision, reason="  ")
    assert silent.value.code is Code.ISSUANCE_REASON
    examine_application(people["examiner"], **decision, reason="the security plan is missing a chapter")
    carry_all()
    assert states_of(application) == {"460100": "rejected", "460000": "rejected"}
    with pytest.raises(Refused) as again:
        examine_application(people["examiner"], **{**decision, "passes": True}, reason="")
    assert again.value.code is Code.STATE_FORBIDS


@pytest.mark.req("I3")
@pytest.mark.req("I5")
def test_a_city_keeps_its_number_when_it_applies_for_more_and_another_city_gets_another(people, appoint):
    numbers = []
    for quantity in (1000, 5000):
        application = apply(people, quantity)
        carry_all()
        numbers.append(decided(people, application, passes=True).number)
    assert numbers[0] == numbers[1]
    assert Issuer.objects.get(held_by_id="460100").quantity == 5000
    people["clerk"] = appoint("clerk-sanya", "460200", "issuance_clerk")
    application = apply(people)
    carry_all()
    assert decided(people, application, passes=True).number not in numbers


@pytest.mark.req("I1")
@pytest.mark.parametrize("missing", MATERIALS)
def test_an_incomplete_application_is_not_sent(people, missing):
    with pytest.raises(Refused) as refused:
        submit_application(
            people["clerk"], materials={**PAPERS, missing: " "}, quantity=10, layout_digest=LAYOUT, scope="x"
        )
    assert refused.value.facts["missing"] == missing
    assert not Application.objects.exists()


def test_only_a_city_applies_and_only_the_right_role_at_each_level(people, appoint):
    wrong_level = appoint("clerk-2", "460000", "issuance_clerk")
    with pytest.raises(Refused) as level:
        submit_application(wrong_level, materials=PAPERS, quantity=10, layout_digest=LAYOUT, scope="x")
    assert level.value.code is Code.ISSUANCE_WRONG_APPLICANT
    for actor in (people["examiner"], people["reviewer"]):
        with pytest.raises(Refused) as role:
            submit_application(actor, materials=PAPERS, quantity=10, layout_digest=LAYOUT, scope="x")
        assert role.value.code is Code.PERMISSION_MISSING
    application = apply(people)
    with pytest.raises(Refused) as clerk:
        examine_application(
            people["clerk"], number=application.number, digest=application.digest, passes=True, reason="mine"
        )
    assert clerk.value.code is Code.PERMISSION_MISSING


def test_what_was_altered_on_the_way_or_read_stale_is_refused(people):
    application = apply(people)
    carry_all()
    Application.objects.filter(number=application.number, held_by_id="460000").update(
        payload={**application.payload, "quantity": 10**6}
    )
    for digest in (application.digest, "0" * 64):
        with pytest.raises(Refused) as refused:
            examine_application(
                people["examiner"], number=application.number, digest=digest, passes=True, reason="complete"
            )
        assert refused.value.code is Code.ISSUANCE_ALTERED


@pytest.mark.req("I6")
@pytest.mark.req("I4")
def test_the_number_gives_the_city_its_right_in_that_layout_and_quantity_only(people):
    with pytest.raises(Refused) as none:
        right_to_issue("460100", more=1, layout_digest=LAYOUT)
    application = apply(people, quantity=1000)
    carry_all()
    number = decided(people, application, passes=True).number
    assert right_to_issue("460100", more=1000, layout_digest=LAYOUT).number == number
    with pytest.raises(Refused) as beyond:
        right_to_issue("460100", more=1001, layout_digest=LAYOUT)
    with pytest.raises(Refused) as changed:
        right_to_issue("460100", more=1, layout_digest="cd" * 32)
    assert [case.value.code for case in (none, beyond, changed)] == [
        Code.ISSUANCE_NO_NUMBER,
        Code.ISSUANCE_QUANTITY,
        Code.ISSUANCE_LAYOUT,
    ]
