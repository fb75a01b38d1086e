"""The documentation draws the states that the code has, and the policy names only what can be done."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.approvals.matters import matter_of
from sheka.systems.ceremonies.effects import EFFECTS, effect_named
from sheka.systems.ceremonies.scripts import LEADER, WITNESS, custodian, script_for, scripts_on, written_out
from sheka.systems.ceremonies.states import CEREMONY

PAGE = Path(__file__).parents[3] / "docs" / "systems" / "ceremonies.md"


def test_the_page_draws_the_table_as_it_is():
    assert f"<!-- states: ceremony -->\n```mermaid\n{CEREMONY.mermaid()}\n```" in PAGE.read_text("utf-8")


@pytest.mark.req("K6")
def test_every_script_begins_with_everybody_and_ends_with_their_signatures():
    scripts = scripts_on(timezone.localdate())
    assert len(scripts) == 9 and {script.kind for script in scripts} <= set(
        PAGE.read_text("utf-8").replace(",", " ").split()
    )
    for script in scripts:
        steps = written_out(script, 3, 3, ["IRK", "PUK"])
        everybody = [LEADER, custodian(1), custodian(2), custodian(3), WITNESS]
        assert [step["seats"] for step in (steps[0], steps[-1])] == [everybody, everybody], script.kind
        assert (steps[0]["does"], steps[-1]["does"]) == ("attend", "sign")
        assert steps[0]["confirm"] and steps[-1]["confirm"]
        assert matter_of(script.approval)


def test_every_act_of_the_policy_has_its_effect_and_every_effect_its_act():
    used = {step.does for script in scripts_on(timezone.localdate()) for step in script.steps}
    assert all(effect_named(word) for word in used) and used == set(EFFECTS)


def test_steps_for_each_key_stand_together_and_a_threshold_makes_one_step():
    script = script_for("keys.components", timezone.localdate())
    steps = [
        (step["does"], step["key"], step["seats"], step["needed"]) for step in written_out(script, 3, 2, ["A", "B"])
    ]
    holders = [custodian(1), custodian(2), custodian(3)]
    assert steps[3:6] == [
        ("begin_entry", "A", [LEADER], 1),
        ("component", "A", holders, 2),
        ("join", "A", [LEADER], 1),
    ]
    assert steps[6][:2] == ("begin_entry", "B")
    whole = [step for step in written_out(script, 2, 2, ["A"]) if step["does"] == "component"]
    assert [(step["seats"], step["needed"]) for step in whole] == [([custodian(1)], 1), ([custodian(2)], 1)]


def test_a_kind_without_a_script_in_force_is_refused():
    with pytest.raises(Refused) as refused:
        script_for("keys.generate", timezone.localdate().replace(year=2020))
    assert refused.value.code is Code.CEREMONY_KIND
