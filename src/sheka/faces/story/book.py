"""The whole story, and how it is told on a running node."""

from __future__ import annotations

from collections.abc import Callable

from sheka.equipment.initialisation.drawer import IN_NODE, ChipDrawer
from sheka.equipment.server.node import NodeConfig
from sheka.faces.story import (
    counter_steps,
    exception_steps,
    issuance_steps,
    money_steps,
    people_steps,
    psam_steps,
    verb_steps,
)
from sheka.faces.story.cast import seed
from sheka.faces.story.chips import stock
from sheka.faces.story.consent import hand_in_keys
from sheka.faces.story.stage import Stage, Step, StepResult, play
from sheka.office.scope import whole_node

STEPS: list[Step] = [
    *issuance_steps.STEPS,
    Step(
        "H3", "空白芯片入库，传输密钥以信封导入", "Blank chips from the maker, its transport key in an envelope", stock
    ),
    *people_steps.STEPS,
    *money_steps.SHOP,
    *psam_steps.STEPS,
    *money_steps.STEPS,
    *verb_steps.STEPS,
    money_steps.CLOSE,
    *exception_steps.STEPS,
    *counter_steps.STEPS,
    psam_steps.LOSE,
]


def play_on(node: NodeConfig, tell: Callable[[Step, StepResult], None], language: str = "en") -> list[StepResult]:
    """Seed the demonstration world of a running node and play the story on it. Django must be set up."""
    with whole_node("the story plays every part and looks over the whole world; its verbs act in their actors' scopes"):
        seed(node.folder)
        drawer = ChipDrawer(node.folder / IN_NODE)
        stage = Stage(node, drawer)
        told = play(stage, STEPS, tell, language)
        hand_in_keys(stage)
        return told
