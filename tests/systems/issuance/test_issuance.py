"""Applications to issue: city, province, ministry, each holding its own copy, told by messages (S2, I1-I4, I6)."""

from __future__ import annotations

import pytest
from tests.support.approvals import decided

from sheka.foundation.refusals import Code, Refused
from sheka.office.approvals.actions.amend import amend
from sheka.office.approvals.actions.withdraw import withdraw
from sheka.office.approvals.models import Proposal
from sheka.office.messages.delivery import carry_all
from sheka.systems.cards.queries import right_to_issue
from sheka.systems.issuance.actions.assign_number import file_number
from sheka.systems.issuance.actions.submit_application import submit_application
from sheka.systems.issuance.materials import MATERIALS
from sheka.systems.issuance.models import Issuer

PAPERS = dict.fromkeys(MATERIALS, "on file")
LAYOUT = "ab" * 32


@pytest.fixture
def people(appoint):
    return {
        "clerk": appoint("clerk", "460100", "issuance_clerk"),
        "examiner": appoint("examiner", "460000", "examiner"),
        "reviewer": appoint("reviewer", "000000", "reviewer"),
        "second": appoint("second", "000000", "reviewer"),
    }


def apply(people, quantity=1000):
    made = submit_application(
        people["clerk"], materials=PAPERS, quantity=quantity, layout_digest=LAYOUT, scope="Haikou, all residents"
    )
    carry_all()
    return made


def held(application, place):
    return Proposal.objects.filter(number=application.number, organisation_id=place).first()


def states_of(application):
    return dict(Proposal.objects.filter(number=application.number).values_list("organisation_id", "state"))


def approved(people, application):
    """All the way: the number that came out of it."""
    for who, place in (("examiner", "460000"), ("reviewer", "000000"), ("second", "000000")):
        if held(application, place) and held(application, place).in_turn_here:
            decided(people[who], held(application, place))
            carry_all()
    return held(application, "000000").result["issuer"]["number"]


@pytest.mark.req("I1")
@pytest.mark.req("I2")
@pytest.mark.req("I3")
def test_an_application_passes_three_levels_and_comes_back_with_a_number(people):
    application = apply(people)
    assert held(application, "000000") is None
    number = approved(people, application)
    assert states_of(application) == {"460100": "done", "460000": "done", "000000": "done"}
    assert number == "9156000002" + "460100"
    assert Issuer.objects.get(held_by_id="460100").number == number
    way = held(application, "460100")
    assert [(row.step, row.name, row.reason) for row in way.decisions.all()] == [
        (0, "examiner 员", "read"),
        (1, "reviewer 员", "read"),
        (1, "second 员", "read"),
    ]


@pytest.mark.req("I3")
def test_the_number_is_assigned_in_the_last_approval_and_not_before(people):
    application = apply(people)
    decided(people["examiner"], held(application, "460000"))
    carry_all()
    decided(people["reviewer"], held(application, "000000"))
    assert not Issuer.objects.exists()
    decided(people["second"], held(application, "000000"))
    assert Issuer.objects.get().application == application.number


@pytest.mark.req("I3")
def test_a_number_is_filed_once_by_who_assigned_it(people):
    number = approved(people, apply(people))

    def file(number=number, reference="NICRC-1", who="reviewer"):
        return file_number(people[who], number=number, reference=reference)

    for code, row in (
        (Code.ISSUANCE_NUMBER_UNKNOWN, {"number": "nothing"}),
        (Code.ISSUANCE_REFERENCE, {"reference": "  "}),
        (Code.PERMISSION_MISSING, {"who": "examiner"}),
    ):
        with pytest.raises(Refused) as refused:
            file(**row)
        assert refused.value.code is code
    assert file().filing_reference == "NICRC-1"
    with pytest.raises(Refused) as again:
        file()
    assert again.value.code is Code.ISSUANCE_FILED


@pytest.mark.req("I2")
def test_a_rejection_reaches_the_city_and_ends_there(people):
    application = apply(people)
    decided(people["examiner"], held(application, "460000"), "reject", "the security plan is missing a chapter")
    carry_all()
    assert states_of(application) == {"460100": "rejected", "460000": "rejected"}
    assert held(application, "460100").decisions.get().reason == "the security plan is missing a chapter"
    assert not Issuer.objects.exists()


@pytest.mark.req("I2")
def test_what_the_ministry_returns_is_completed_and_examined_again(people):
    application = apply(people)
    decided(people["examiner"], held(application, "460000"))
    carry_all()
    decided(people["reviewer"], held(application, "000000"), "supplement", "the security plan of 2026")
    carry_all()
    city = held(application, "460100")
    assert (city.state, city.turn) == ("returned", "460100")
    fuller = {**city.payload, "materials": {**PAPERS, "security_plan": "plan of 2026"}}
    amend(people["clerk"], proposal_id=city.pk, digest=city.digest, payload=fuller, note="plan of 2026 added")
    carry_all()
    assert held(application, "460000").in_turn_here
    approved(people, application)
    assert held(application, "460100").payload["materials"]["security_plan"] == "plan of 2026"
    assert set(states_of(application).values()) == {"done"}


@pytest.mark.req("I2")
def test_a_city_takes_its_application_back_wherever_it_is(people):
    application = apply(people)
    decided(people["examiner"], held(application, "460000"))
    carry_all()
    withdraw(people["clerk"], proposal_id=held(application, "460100").pk, reason="another supplier")
    assert held(application, "000000").state == "open"
    carry_all()
    assert set(states_of(application).values()) == {"withdrawn"}


@pytest.mark.req("I3")
@pytest.mark.req("I5")
def test_a_city_keeps_its_number_when_it_applies_for_more_and_another_city_gets_another(people, appoint):
    numbers = [approved(people, apply(people, quantity)) for quantity in (1000, 5000)]
    assert numbers[0] == numbers[1]
    assert Issuer.objects.get(held_by_id="460100").quantity == 5000
    people["clerk"] = appoint("clerk-sanya", "460200", "issuance_clerk")
    assert approved(people, apply(people)) not in numbers


@pytest.mark.req("I1")
def test_a_province_applies_to_the_ministry_itself(people, appoint):
    people["clerk"] = appoint("clerk-hainan", "460000", "issuance_clerk")
    application = apply(people)
    assert application.turn == "000000"
    assert approved(people, application) == "9156000002" + "460000"
    assert right_to_issue("460000", more=1, layout_digest=LAYOUT).number.endswith("460000")


@pytest.mark.req("I1")
@pytest.mark.parametrize("missing", MATERIALS)
def test_an_incomplete_application_is_not_sent(people, missing):
    with pytest.raises(Refused) as refused:
        submit_application(
            people["clerk"], materials={**PAPERS, missing: " "}, quantity=10, layout_digest=LAYOUT, scope="x"
        )
    assert refused.value.code is Code.ISSUANCE_MATERIALS
    assert refused.value.facts["missing"] == MATERIALS[missing]
    assert not Proposal.objects.exists()


@pytest.mark.parametrize("quantity", [0, -1, "many"])
def test_an_application_for_no_cards_is_not_sent(people, quantity):
    with pytest.raises(Refused) as refused:
        apply(people, quantity)
    assert refused.value.code is Code.ISSUANCE_QUANTITY


def test_only_an_area_applies_and_only_the_right_role(people, appoint):
    outlet = appoint("clerk-2", "460100-01", "issuance_clerk")
    with pytest.raises(Refused) as level:
        submit_application(outlet, materials=PAPERS, quantity=10, layout_digest=LAYOUT, scope="x")
    assert level.value.code is Code.ISSUANCE_WRONG_APPLICANT
    for actor in (people["examiner"], people["reviewer"]):
        with pytest.raises(Refused) as role:
            submit_application(actor, materials=PAPERS, quantity=10, layout_digest=LAYOUT, scope="x")
        assert role.value.code is Code.PERMISSION_MISSING


@pytest.mark.req("I6")
@pytest.mark.req("I4")
def test_the_number_gives_the_city_its_right_in_that_layout_and_quantity_only(people):
    with pytest.raises(Refused) as none:
        right_to_issue("460100", more=1, layout_digest=LAYOUT)
    number = approved(people, apply(people, quantity=1000))
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
