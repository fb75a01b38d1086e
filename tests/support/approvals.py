"""Approvals in tests: presence that was proved, routes and matters of a test's own."""

from __future__ import annotations

import shutil
from pathlib import Path

from django.utils import timezone

from sheka.office.approvals.actions.decide import decide
from sheka.office.staff.confirmations import ask_confirmation

POLICY = Path(__file__).resolve().parents[2] / "policy"


def present(actor, digest):
    """This person proved presence for exactly this digest a moment ago."""
    asked = ask_confirmation(actor, digest)
    asked.factor, asked.confirmed_at = "code", timezone.now()
    asked.save()


def decided(actor, proposal, verdict="approve", reason="read", **changes):
    """Read the request as it stands in the database, prove presence if the step asks for it, decide."""
    proposal.refresh_from_db()
    if proposal.state == "open" and proposal.step_now.confirm:
        present(actor, proposal.digest)
    seen = {"digest": proposal.digest, "step": proposal.step} | changes
    made = decide(actor, proposal_id=proposal.pk, verdict=verdict, reason=reason, **seen)
    proposal.refresh_from_db()
    return made


def policy_with(folder: Path, routes: str) -> Path:
    """A copy of the policy with more routes; the folder for SHEKA_POLICY."""
    made = folder / "policy"
    shutil.copytree(POLICY, made)
    path = made / "approvals.toml"
    path.write_text(path.read_text("utf-8") + routes, "utf-8")
    return made
