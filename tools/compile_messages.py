"""Compiles every translation catalogue below src, .po to .mo, with babel. Run by .venv's Python."""

from __future__ import annotations

import sys
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

SOURCE = Path(__file__).resolve().parents[1] / "src"


def main() -> int:
    """Compile all. Status 1 when an entry has other placeholders than its original."""
    wrong = 0
    for path in sorted(SOURCE.rglob("locale/*/LC_MESSAGES/*.po")):
        with path.open("rb") as file:
            catalogue = read_po(file, locale=path.parents[1].name)
        for message, errors in catalogue.check():
            wrong += 1
            print(f"{path}:{message.lineno}: {message.id}: {errors[0]}", file=sys.stderr)
        with path.with_suffix(".mo").open("wb") as file:
            write_mo(file, catalogue)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
