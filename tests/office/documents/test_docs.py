"""The page about documents says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from sheka.foundation.refusals import Code
from sheka.office.documents.states import DOCUMENT, PAPER

ROOT = Path(__file__).resolve().parents[3]


def test_the_states_in_the_documentation_are_those_of_the_code():
    page = (ROOT / "docs" / "office" / "documents.md").read_text("utf-8")
    assert DOCUMENT.mermaid() in page and PAPER.mermaid() in page


def test_every_threat_names_a_test_that_is_there():
    page = (ROOT / "docs" / "security" / "documents.md").read_text("utf-8")
    named = set(re.findall(r"`(test_\w+)`", page))
    files = [*(ROOT / "tests/office/documents").glob("*.py"), *(ROOT / "tests/faces/console/documents").glob("*.py")]
    there = set(re.findall(r"def (test_\w+)", "".join(path.read_text("utf-8") for path in files)))
    assert len(named) > 15 and named <= there, named - there


def test_every_refusal_of_documents_is_raised_somewhere():
    source = "".join(path.read_text("utf-8") for path in (ROOT / "src/sheka").rglob("*.py") if path.name != "codes.py")
    for code in Code:
        if 3400 <= code.value < 3500:
            assert f"Code.{code.name}" in source or f'"{code.name}"' in source, code
