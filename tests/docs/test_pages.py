"""README and docs: every link leads somewhere, every command, bench, target of make and file that they name exists.

What is lost if this fails: somebody who has only the documentation types what the program does not know.
"""

from __future__ import annotations

import dataclasses
import re
import shlex
import subprocess
from functools import cache
from pathlib import Path

import pytest
from typer.main import get_command

from sheka.faces.cli.bench import benches
from sheka.faces.cli.main import application
from sheka.foundation.states import StateTable
from sheka.systems.accounts import states as accounts
from sheka.systems.accounts.deposit_file import DepositReader
from sheka.systems.transactions.states import INSTITUTION, TERMINAL
from sheka.systems.transactions.switch.settings import SwitchSettings

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("README*.md"), *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
PLACEHOLDER = re.compile(r"^[A-Z<…\"']|^[0-9]|^\.\.\.")
HISTORY = "docs/adr/"
"""Decisions tell what was true on their day."""


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


@cache
def text_of(page: Path) -> str:
    return page.read_text("utf-8")


def anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", text_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.replace("`", "").strip().lower()).replace(" ", "-") for head in heads}


def spans(page: Path) -> list[str]:
    """What stands in code, in a line or in a block."""
    text = text_of(page)
    blocks = re.findall(r"^```(?:sh)?\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    lines = [line.split(" #")[0] for block in blocks for line in block.splitlines()]
    return [*CODE.findall(re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)), *lines]


def commands(word: str) -> list[tuple[str, list[str]]]:
    found = []
    for page in PAGES:
        for span in spans(page):
            if match := re.match(rf"(?:\S*/)?{word} (.+)$", span.strip()):
                words = shlex.split(re.split(r"[;|>·]", match[1])[0].replace("…", "").replace("'", ""))
                found.append((f"{named(page)}: {span}", words))
    return found


def test_every_link_leads_to_a_page_and_its_heading():
    dead = []
    for page in PAGES:
        for link in LINK.findall(re.sub(r"^```.*?^```", "", text_of(page), flags=re.DOTALL | re.MULTILINE)):
            if link.startswith("http"):
                continue
            path, _, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            if not target.exists() or (anchor and anchor not in anchors(target)):
                dead.append(f"{named(page)}: {link}")
    assert not dead


def test_every_page_of_the_docs_is_found_from_the_index():
    index = (ROOT / "docs" / "README.md").resolve()
    seen, ahead = {index}, [index]
    while ahead:
        page = ahead.pop()
        for link in LINK.findall(text_of(page)):
            target = (page.parent / link.split("#")[0]).resolve()
            if target.suffix == ".md" and target.exists() and target not in seen:
                seen.add(target)
                ahead.append(target)
    own = [page for page in PAGES if named(page).startswith("docs/") and not named(page).startswith(HISTORY)]
    lost = [named(page) for page in own if page.resolve() not in seen]
    assert not lost


def test_every_command_that_is_named_exists_with_its_options():
    program, wrong = get_command(application()), []
    for place, words in commands("sheka"):
        if not re.match(r"^[a-z]", words[0]):
            continue
        node, rest = program, list(words)
        while rest and hasattr(node, "commands") and (found := node.commands.get(rest[0])) is not None:
            node = found
            rest.pop(0)
        options = {option for parameter in node.params for option in parameter.opts} | {"-h", "--help"}
        unknown = [word for word in rest if word.startswith("-") and word.split("=")[0] not in options]
        lacks = hasattr(node, "commands") and rest and not PLACEHOLDER.match(rest[0])
        if unknown or lacks or node is program:
            wrong.append((place, rest))
        if words[0] == "bench" and words[1:] and words[1] not in {*benches(), "all"}:
            wrong.append((place, words[1]))
    assert not wrong


def test_every_target_of_make_and_every_bench_module_exists():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    asked = {(place, words[0]) for place, words in commands("make") if re.match(r"^[a-z-]+$", words[0])}
    assert {place for place, target in asked if target not in targets} == set()
    modules = [(named(page), name) for page in PAGES for name in re.findall(r"python -m (bench\.\w+)", text_of(page))]
    assert modules and not [one for one in modules if not (ROOT / f"{one[1].replace('.', '/')}.py").exists()]


@pytest.mark.parametrize("start", ["policy/", "tests/", "bench/", "docs/", "tools/", "src/"])
def test_every_file_that_is_named_exists(start):
    missing = []
    for page in PAGES:
        if named(page).startswith(HISTORY):
            continue
        for span in CODE.findall(text_of(page)):
            path = span.split("::")[0].split(":")[0]
            if path.startswith(start) and re.fullmatch(r"[\w./-]+", path) and not (ROOT / path).exists():
                missing.append(f"{named(page)}: {path}")
    assert not missing


@pytest.mark.req("S6")
def test_the_example_of_a_file_of_deposits_is_one_and_the_page_says_how_its_last_line_is_made(tmp_path):
    example = ROOT / "docs" / "examples" / "deposits.txt"
    with example.open("rb") as source:
        read = DepositReader(source, most_lines=100)
        items = list(read)
    assert read.header.period == "202611" and [item.refusal for item in items] == [0, 0, 0]
    page = text_of(ROOT / "docs" / "operations" / "monthly-allocation.md")
    script = re.search(r"^grep .*?^awk.*?$", page, re.DOTALL | re.MULTILINE)[0].replace("deposits.txt", str(example))
    done = subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == example.read_text().splitlines()[-1]


def test_both_readmes_lead_to_the_same_pages_and_name_the_same_commands():
    english, chinese = (text_of(ROOT / name) for name in ("README.md", "README.zh-CN.md"))

    def led(text: str) -> set[str]:
        return {link for link in LINK.findall(text) if not link.startswith(("README", "docs/images"))}

    def told(text: str) -> list[str]:
        return [
            line.split("#")[0].strip()
            for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
            for line in block.splitlines()
        ]

    assert led(english) == led(chinese)
    assert told(english) == told(chinese)


@pytest.mark.req("S4")
def test_the_table_of_the_switch_s_limits_is_what_a_switch_begins_with():
    table = text_of(ROOT / "docs" / "systems" / "transactions.md").split("## Limits")[1].split("\n## ")[0]
    told = {}
    for names, values in re.findall(r"^\| ([a-z_, ]+) \| ([\d., KiBs]+) \|", table, re.MULTILINE):
        for name, value in zip(names.split(", "), values.split(", "), strict=True):
            number = float(value.split()[0])
            told[name] = number * 1024 if "KiB" in value else number
    fields = {field.name: field.default for field in dataclasses.fields(SwitchSettings)}
    begins = {name: value for name, value in fields.items() if type(value) in (int, float)}
    assert told == begins


@pytest.mark.req("S6")
@pytest.mark.parametrize("name", [name for name in vars(accounts) if isinstance(vars(accounts)[name], StateTable)])
def test_the_states_of_accounts_are_drawn_as_they_are(name):
    assert getattr(accounts, name).mermaid() in text_of(ROOT / "docs" / "systems" / "accounts.md")


@pytest.mark.req("S4")
def test_the_states_of_institutions_and_terminals_are_told_as_they_are():
    page = text_of(ROOT / "docs" / "systems" / "acquiring.md")
    told = set()
    for begins, verb, ends in re.findall(r"^\| ([a-z, ]+) \| ([a-z_]+) \| ([a-z]+) \| ", page, re.MULTILINE):
        told |= {(begin, verb, ends) for begin in begins.split(", ") if ends in INSTITUTION.states}
    assert told == {
        (begin, verb, INSTITUTION.after(begin, verb))
        for begin in INSTITUTION.states
        for verb in INSTITUTION.verbs(begin)
    }
    terminals = re.search(
        r"^Terminals: (.*?);", page.replace("; a supervisor", ", a supervisor"), re.MULTILINE | re.DOTALL
    )[1]
    assert all(state in terminals for state in TERMINAL.states)
