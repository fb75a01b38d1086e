"""What an automatic rule went by stands in words on the page of the case, its code beside each (S10)."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from django.utils.translation import override
from tests.support.desks import signed_in

from sheka.faces.console.templatetags.facts import WORDS, rule_facts
from sheka.office.staff.models import StaffMember
from sheka.systems.exceptions import rules
from sheka.systems.exceptions.models import RuleUse

INSIDE = {"type", "came_at"}
"""Keys of a message inside of a fact."""


def test_every_fact_that_a_rule_may_go_by_has_a_word():
    tree = ast.parse(Path(str(rules.__file__)).read_text("utf-8"))
    keys = {key.value for node in ast.walk(tree) if isinstance(node, ast.Dict) for key in node.keys if key is not None}
    assert len(keys) > 10
    assert keys - INSIDE <= set(WORDS)


@pytest.mark.req("S10")
def test_facts_are_told_as_people_say_them():
    row = {"transaction": 209, "amount": 3_580, "refusal": 0, "kind": 1, "card": "D00000013"}
    again = {"type": "0201", "came_at": "2026-11-23T03:40:00+08:00", "refusal": 0}
    facts = {"again": again, "request": row, "reversal": None, "posting": 209, "waited_seconds": 301, "state": "active"}
    with override("en"):
        told = {fact.name: (fact.word, fact.value) for fact in rule_facts(RuleUse(facts=facts))}
    assert told["request"] == ("The request in our books", "209 · ¥35.80 · none, approved")
    assert told["waited_seconds"] == ("Waited for", "5 minutes")
    assert told["again"][1].startswith("0201 financial transaction") and "03:40" in told["again"][1]
    assert "reversal" not in told and "D00000013" not in str(told), "nothing empty, and no card in the clear"
    with override("zh-hans"):
        assert {fact.name: fact.word for fact in rule_facts(RuleUse(facts=facts))}["posting"] == "入账编号"


@pytest.mark.req("S10")
@pytest.mark.django_db(transaction=True)
def test_the_page_of_a_case_says_what_the_rule_went_by(desks, cases):
    page = re.sub(r"\s+", " ", desks["officer"].get(f"/exceptions/{cases['duplicate'].number}").content.decode())
    assert "it counts once" in page and "exact_duplicate v1" in page
    assert "Our side" in page and "¥5.00" in page and ">ours<" in page
    chinese = signed_in(StaffMember.objects.get(pk=desks["officer"].actor.staff_id), "zh-hans")
    assert "我方所记" in chinese.get(f"/exceptions/{cases['duplicate'].number}").content.decode()
