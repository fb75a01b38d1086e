"""The same roles in another city: nothing of the first one's is there for them, page by page.

Generated: every page of one thing that opens for a role is asked for with the things of the town.
"""

from __future__ import annotations

import re

import pytest
from django.apps import apps
from tests.support.addresses import SAMPLES, pages
from tests.support.desks import ELSEWHERE, HERE, PAIRS, person_at, second_city, signed_in

from sheka.office.staff.permissions import matrix

ROLES = sorted({role for role, level in PAIRS if level in ELSEWHERE})


def things(town_here):
    """Name of the address → the words in place of its parameter, of things that belong to Haikou."""
    from sheka.office.approvals.models import Proposal
    from sheka.office.audit.models import Event
    from sheka.office.documents.models import Document
    from sheka.office.staff.models import StaffMember
    from sheka.office.work.models import WorkItem
    from sheka.systems.cards.models import ExchangeCase

    exchange = ExchangeCase.objects.exclude(state="cancelled").first()
    return {
        "card": town_here["cards"]["plain"]["number"],
        "exchange": exchange.number,
        "approvals": Proposal.objects.filter(organisation_id="460100").values_list("pk", flat=True).first(),
        "auditing_event": Event.objects.filter(organisation_id="460100").values_list("sequence", flat=True).first(),
        "documents": Document.objects.filter(organisation_id="460100").values_list("pk", flat=True).first(),
        "documents_about": f"exchange:{exchange.number}",
        "staff": StaffMember.objects.filter(organisation_id="460100").values_list("login", flat=True).first(),
        "work": WorkItem.objects.filter(organisation_id="460100").values_list("pk", flat=True).first(),
    }


def thing_of(page, found):
    """The longest beginning of the page's name that is a thing we have."""
    fits = [name for name in found if page.name.startswith(name) and found[name] is not None]
    return found[max(fits, key=len)] if fits else None


@pytest.mark.parametrize("role", ROLES)
def test_a_page_of_one_thing_is_not_there_for_another_city(town_here, db, role):
    second_city()
    level = next(level for name, level in PAIRS if name == role and level in ELSEWHERE)
    desk, held, found = signed_in(person_at(ELSEWHERE[level], role)), matrix()[role], things(town_here)
    secret = town_here["cards"]["plain"]["name"]
    wrong = []
    for page in pages():
        word = thing_of(page, found)
        if not page.detail or word is None or not page.opens(held):
            continue
        address = with_word(page, word)
        for method in ("GET", "POST"):
            answer = desk.ask(method, address)
            shown = answer.content.decode("utf-8", "replace") if answer.status_code == 200 else ""
            if answer.status_code not in (403, 404, 405) or secret in shown:
                wrong.append((page.name, method, address, answer.status_code))
    assert not wrong


def with_word(page, word):
    """The page's address with the thing in the place of its first parameter."""
    sample = "|".join(map(re.escape, SAMPLES))
    return re.sub(f"/({sample})", f"/{word}", page.address, count=1)


def test_the_same_pages_are_there_at_home(town_here, db):
    """Else the test above would prove nothing."""
    found = things(town_here)
    assert desk_at_home("card_supervisor").get(f"/cards/{found['card']}").status_code == 200
    assert desk_at_home("auditor").get(f"/audit/{found['auditing_event']}").status_code == 200
    assert apps.get_model("cards", "Card").objects.filter(number=found["card"]).exists()


def desk_at_home(role):
    return signed_in(person_at(HERE["city"], role))
