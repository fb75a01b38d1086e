"""The check of the scope finds what it is for, and nothing in the project (ASVS 8.4.1)."""

from __future__ import annotations

import importlib.util
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_SPEC = importlib.util.spec_from_file_location("check_scope", ROOT / "tools" / "check_scope.py")
check_scope = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(check_scope)


def test_the_project_leaves_the_scope_only_where_the_list_says_why():
    allowed = tomllib.loads(check_scope.LIST.read_text("utf-8"))
    assert check_scope.offences(ROOT / "src" / "sheka", allowed) == []
    assert all(len(reason) > 10 for rows in allowed.values() for reason in rows.values())


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("faces/console/cards/views.py", "rows = Card.objects.filter(pk=1)", ".objects"),
        ("faces/api/door.py", "rows = models.Card._default_manager.all()", "._default_manager"),
        ("faces/console/lists.py", "with connection.cursor() as cursor:\n    pass", "cursor(): SQL"),
        ("faces/console/lists.py", "rows = Card.objects.raw('SELECT 1')", "raw(): SQL"),
        ("systems/cards/queries/cards.py", "with whole_node('because'):\n    pass", "enters the whole node"),
        ("systems/cards/queries.py", "@scope.whole_node('because')\ndef f(): ...", "enters the whole node"),
        ("systems/cards/jobs.py", "x = \"SET sheka.scope = 'o000000'\"", "speaks of"),
        ("office/staff/sign_in.py", "x = 'SET row_security = off'", "speaks of"),
    ],
)
def test_each_way_out_is_found(tmp_path, file, text, said):
    path = tmp_path / file
    path.parent.mkdir(parents=True)
    path.write_text(text)
    found = check_scope.offences(tmp_path, {})
    assert any(said in one and one.startswith(f"{file}:1 ") for one in found), found


def test_a_reason_allows_its_file_alone_and_an_idle_line_is_told(tmp_path):
    (tmp_path / "worker.py").write_text("with whole_node('x'):\n    pass")
    (tmp_path / "web.py").write_text("with whole_node('x'):\n    pass")
    allowed = {"whole_node": {"worker.py": "it carries messages", "gone.py": "it was there once"}}
    found = check_scope.offences(tmp_path, allowed)
    assert found == ["web.py:1 enters the whole node", "check_scope.toml: [whole_node] gone.py allows nothing"]
