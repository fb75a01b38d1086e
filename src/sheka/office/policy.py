"""Where the policy files are: values with a source and dates, never constants in code (design §2.9)."""

from __future__ import annotations

import os
from pathlib import Path

from sheka.foundation.refusals import Code, Refused


def policy_file(name: str) -> Path:
    """The file of this name in SHEKA_POLICY, or in the checkout's folder `policy`. Raises Refused(POLICY_MISSING)."""
    folder = Path(os.environ.get("SHEKA_POLICY") or Path(__file__).resolve().parents[3] / "policy")
    path = folder / name
    if not path.is_file():
        raise Refused(Code.POLICY_MISSING, name=name, folder=folder)
    return path
