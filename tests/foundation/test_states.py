"""State tables: a card cannot be handed out twice, because a verb in the wrong state is a refusal."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.states import StateTable, Transition

ROWS = [
    Transition("made", "hand_out", "active", "outlet clerk"),
    Transition("active", "report_loss", "lost", "holder"),
    Transition("lost", "release", "active", "holder"),
    Transition("lost", "cancel", "cancelled", "outlet clerk"),
    Transition("active", "cancel", "cancelled", "outlet clerk"),
]
TABLE = StateTable("card", "made", ROWS)


def test_states_in_order_of_appearance_and_verbs_by_state() -> None:
    assert TABLE.states == ("made", "active", "lost", "cancelled")
    assert TABLE.verbs("lost") == ("release", "cancel")
    assert TABLE.verbs("cancelled") == ()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.source}-{row.verb}")
def test_each_row_leads_where_it_says(row: Transition) -> None:
    assert TABLE.after(row.source, row.verb) == row.target


@given(st.sampled_from(TABLE.states), st.sampled_from([*{row.verb for row in ROWS}, "eat"]))
def test_everything_not_in_the_table_is_refused(state: str, verb: str) -> None:
    if verb in TABLE.verbs(state):
        assert TABLE.after(state, verb) in TABLE.states
    else:
        with pytest.raises(Refused) as caught:
            TABLE.after(state, verb)
        assert caught.value.code is Code.STATE_FORBIDS and caught.value.http == 409


def test_the_refusal_says_from_where_it_would_be_allowed(refused_by: Any) -> None:
    with refused_by(Code.STATE_FORBIDS) as found:
        TABLE.after("made", "cancel")
    assert found[0].facts == {"state": "made", "verb": "cancel", "allowed": "lost, active"}
    assert "lost, active" in found[0].todo("en")


def test_a_verb_unknown_to_the_table_is_allowed_from_nowhere() -> None:
    with pytest.raises(Refused) as caught:
        TABLE.after("made", "eat")
    assert caught.value.facts["allowed"] == "-"


def test_a_verb_leaves_a_state_once() -> None:
    with pytest.raises(ValueError, match="card: the same verb leaves one state twice"):
        StateTable("card", "made", [*ROWS, Transition("made", "hand_out", "lost", "anyone")])


def test_it_draws_itself() -> None:
    drawn = TABLE.mermaid().splitlines()
    assert drawn[:3] == ["stateDiagram-v2", "    [*] --> made", "    made --> active: hand_out (outlet clerk)"]
    assert len(drawn) == 2 + len(ROWS)
