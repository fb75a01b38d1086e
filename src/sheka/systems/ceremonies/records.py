"""What a ceremony has done so far as one digest, so that presence is proved and signatures are given for exactly it."""

from __future__ import annotations

from typing import Any

from sheka.foundation.canonical import digest
from sheka.systems.ceremonies.models import Act, Ceremony


def act_row(act: Act) -> dict[str, Any]:
    """One act as it is frozen."""
    return {
        "step": act.step,
        "round": act.round,
        "seat": act.seat.key,
        "name": act.seat.name,
        "verdict": act.verdict,
        "evidence": act.evidence,
        "at": act.at,
    }


def record_digest(ceremony: Ceremony, before: int | None = None) -> str:
    """SM3 over the plan and every act, or those of the steps before one."""
    acts = ceremony.acts.select_related("seat")
    rows = [act_row(act) for act in acts if before is None or act.step < before]
    return digest({"ceremony": ceremony.digest, "acts": rows})


def step_digest(ceremony: Ceremony) -> str:
    """What presence is proved for in the step in turn: the plan, this step, and everything done in the steps before.

    It is the same for all who act in the step, whatever the others do meanwhile.
    """
    before = record_digest(ceremony, ceremony.position)
    return digest({"record": before, "position": ceremony.position, "step": ceremony.step_now})
