"""Every event, permission, role and refusal has its words: the auditor and the refused read sentences, not codes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils.translation import override

from sheka.faces.console.events import EVENTS, word_of
from sheka.faces.console.rights import RIGHTS, rights_named
from sheka.faces.console.telling import told
from sheka.foundation.refusals import Code, Refused, sentence
from sheka.office.staff.permissions import Permission, matrix, role_titles

SOURCE = Path(__file__).resolve().parents[3] / "src" / "sheka"
WRITERS = frozenset(("record", "read_recorded"))


def written(text: str) -> Iterator[tuple[int, str]]:
    """The events that calls of `record` and `read_recorded` write: line and name; "x.*" when the verb is a variable,
    "*" when all of it is.
    """
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call) or len(node.args) < 2:
            continue
        called = node.func
        name = called.id if isinstance(called, ast.Name) else called.attr if isinstance(called, ast.Attribute) else ""
        if name in WRITERS:
            yield from ((node.lineno, event) for event in _names(node.args[1]))


def _names(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _names(node.body)
        yield from _names(node.orelse)
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in node.values)
    else:
        yield "*"


def all_events() -> dict[str, str]:
    """Event → where it is first written."""
    found: dict[str, str] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        if not {"migrations", "node_modules"} & set(path.parts):
            for line, event in written(path.read_text("utf-8")):
                found.setdefault(event, f"{path.relative_to(SOURCE)}:{line}")
    return found


def test_every_audit_event_has_a_word():
    """An auditor would read `window.found_closed` and have to guess."""
    missing = {}
    for event, place in all_events().items():
        system, _, verb = event.partition(".")
        if verb == "*":  # one for each verb of a table: at least some of them must be known
            known = any(name.startswith(f"{system}.") for name in EVENTS) or system == "card"
        else:
            known = event == "*" or word_of(event) != event
        if not known:
            missing[event] = place
    assert not missing


def test_the_look_for_events_sees_them():
    code = "record(a, 'a.b', s)\nread_recorded(a, f'c.{x}', s)\nx.record(a, 'd.e' if y else 'f.g', s)\nrecord(a)"
    assert [event for _, event in written(code)] == ["a.b", "c.*", "d.e", "f.g"]
    assert len(all_events()) > 60


def test_no_event_word_is_left_over():
    """A word for what nothing writes any more hides that it is gone."""
    events = all_events()
    open_ended = {event.removesuffix("*") for event in events if event.endswith("*") and event != "*"}
    source = "\n".join(path.read_text("utf-8") for path in SOURCE.rglob("*.py") if path.name != "events.py")
    left = {
        event
        for event in EVENTS
        if event not in events
        and not event.startswith(tuple(open_ended))
        and f'"{event}"' not in source
        and f"'{event}'" not in source
    }
    assert not left


def test_every_permission_has_a_word_in_both_languages():
    assert {permission.value for permission in Permission} == set(RIGHTS)
    for term in RIGHTS.values():
        assert any("\u4e00" <= character <= "\u9fff" for character in term.zh)
        assert term.en[0].isupper()
    assert len({term.zh for term in RIGHTS.values()}) == len({term.en for term in RIGHTS.values()}) == len(RIGHTS)


def test_a_missing_permission_is_told_by_its_word():
    refusal = Refused(Code.PERMISSION_MISSING, permission="audit.read | card.view")
    with override("en"):
        assert "“Read the audit” (audit.read), “See cards” (card.view)" in told(refusal).text
    with override("zh-hans"):
        assert "查看审计（audit.read）、查看卡片（card.view）" in told(refusal).text
        assert rights_named("moon.land") == "moon.land（moon.land）"


def test_every_role_has_a_title_in_both_languages():
    assert set(role_titles()) == set(matrix())
    for title in role_titles().values():
        assert title.zh
        assert title.en
        assert title.zh != title.en


@pytest.mark.parametrize("code", Code, ids=lambda code: str(code.value))
def test_every_refusal_says_what_was_wrong_and_what_to_do_in_both_languages(code):
    found = sentence(code)
    for text in (found.zh, found.zh_do):
        assert any("\u4e00" <= character <= "\u9fff" for character in text), text
    for text in (found.en, found.en_do):
        assert text.strip()
        assert text.rstrip()[-1] in ".?)’”}", text
