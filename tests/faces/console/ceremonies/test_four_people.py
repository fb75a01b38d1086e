"""A ceremony in four browsers: each enters the own component, nobody and nothing else ever sees it (K3, K6)."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect
from tests.support.memory import family, found_in, memory, needles

from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.crypto.kcv import check_value

SECOND = "0F1E2D3C 4B5A6978 8796A5B4 C3D2E1F0"


def everything_in(cluster, database):
    """All rows of all tables of the node's database as text, bytes as hexadecimal."""
    with cluster.administrator(database) as connection:
        tables = connection.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
        rows = (connection.execute(f"SELECT t::text FROM {name} AS t").fetchall() for (name,) in tables)
        return "\n".join(row[0] for found in rows for row in found)


def plan(planner, request, witness="莫言白"):
    """Choose the request and the roster, as the planner does; the number of the ceremony."""
    page = planner.page
    page.goto("/keys/ceremonies/plan")
    page.click(f"a[href*='keys.components?request={request}']")
    for field, name in (
        ("leader", "温如玉"),
        ("custodian_1", "白景初"),
        ("custodian_2", "司马澄"),
        ("witness", witness),
    ):
        page.select_option(f"#{field}", label=name)
    page.click("main form .button--primary")
    page.wait_for_selector(".ceremony-ledger")
    return page.url.rpartition("/")[2]


@pytest.mark.req("K3")
@pytest.mark.req("K6")
def test_two_components_from_two_browsers_make_a_key_that_nobody_saw(office, sit, test_cluster):
    planner = sit("officer")
    number = plan(planner, office.facts["generation"])
    leader, first, second, witness = (sit(login) for login in ("leader", "custodian-a", "custodian-b", "witness"))
    roster = (leader, first, second, witness)
    for person in roster:
        person.go(number)
        person.act()
    leader.act()
    with office.machine.client("systems") as machine:
        fingerprint = machine.describe().fingerprint
    assert fingerprint not in witness.source()
    for person in (first, second, witness):
        person.act(fingerprint=fingerprint[-8:])
    leader.act()

    expect(second.page.locator(".ceremony-waits")).to_contain_text("白景初")
    first.wait_for_turn(".ceremony-turn [data-generate]")
    first.page.click("[data-generate]")
    expect(first.page.locator("#written")).to_be_enabled()
    component = first.page.input_value("#plain")
    assert re.fullmatch(r"([0-9A-F]{4} ){8}- [0-9A-F]{4}", component)
    expect(first.page.locator("[data-failure=written]")).to_be_hidden()
    first.page.fill("#written", "0" * 32)
    first.page.click(".ceremony-turn .button--primary")
    expect(first.page.locator("[data-failure=written]")).to_be_visible()
    for person in (leader, second, witness, planner):
        assert component[:9] not in person.source()
    first.act(written=component)
    second.act(plain=SECOND)
    value = first.page.locator(".ceremonies-values tbody td:last-child").first.inner_text()
    expect(witness.page.locator(".ceremonies-values")).to_contain_text(value)
    leader.act()
    leader.act()
    for person in (first, second, witness):
        person.act(check_value="")
    for person in roster:
        person.act()
    expect(leader.page.locator(".states")).to_contain_text("已完成")
    joint = leader.page.locator(".ceremonies-joint td:last-child").inner_text()
    with office.machine.client("systems") as machine:
        assert [(key.name, key.check_value) for key in machine.list_keys()] == [("IRK.SM4", joint)]
    leader.page.click("form[action$='/minutes'] button")
    expect(leader.page.locator(".kept")).to_contain_text("密钥仪式记录")

    kept = everything_in(test_cluster, office.node.file.database.name).upper() + office.log.read_text("utf-8").upper()
    logs = b"".join(path.read_bytes() for path in office.node.folder.rglob("*.log")).decode("utf-8", "replace").upper()
    for secret in (component.partition(" - ")[0], SECOND):
        plain = secret.replace(" ", "")
        for shape in (plain, secret, plain[:16], plain[16:]):
            assert shape not in kept and shape not in logs
    assert joint in kept

    parts = [bytes.fromhex(text.partition(" - ")[0].replace(" ", "")) for text in (component, SECOND)]
    whole = bytes(one ^ other for one, other in zip(*parts, strict=True))
    values = [value for key in (*parts, whole) for value in needles(key)]
    known = office.node.machine_secret("ministry", "systems")
    chunks = (chunk for pid in family(office.web) for chunk in memory(pid))
    assert found_in(chunks, [*values, known]) == {known}
    assert joint == check_value(Algorithm.SM4, whole).hex().upper()


@pytest.mark.req("K6")
def test_whoever_is_not_in_turn_can_only_wait_and_an_abort_says_why(office, sit):
    leader, first = sit("leader", "en"), sit("custodian-a")
    planner = sit("officer")
    planner.page.goto("/keys/ceremonies/plan/machine.set_up")
    for field, name in (
        ("leader", "温如玉"),
        ("custodian_1", "白景初"),
        ("custodian_2", "司马澄"),
        ("witness", "莫言白"),
    ):
        planner.page.select_option(f"#{field}", label=name)
    planner.page.fill("#threshold", "2")
    planner.page.click("main form .button--primary")
    planner.page.wait_for_selector(".ceremony-ledger")
    number = planner.page.url.rpartition("/")[2]
    second, witness = sit("custodian-b"), sit("witness")
    for person in (leader, first, second, witness):
        person.go(number)
        expect(person.page.locator(".states")).to_contain_text("演练" if person is not leader else "Rehearsal")
        person.act()
    expect(first.page.locator(".ceremony-turn")).to_have_count(0)
    leader.act()
    for person in (first, second):
        person.act()
    leader.act()
    shares = {}
    for person in (first, second):
        person.wait_for_turn("[data-open]")
        person.page.click("[data-open]")
        expect(person.page.locator("[data-shown]")).not_to_be_empty()
        shares[person.login] = person.page.inner_text("[data-shown]")
        person.act(written=shares[person.login])
        person.go(number)
        assert shares[person.login] not in person.source()
    assert len(set(shares.values())) == 2
    leader.act()
    first.wait_for_turn(".ceremony-turn #fingerprint")
    first.page.fill("#reason", "见证人身体不适")
    first.page.click("form[action$='/abort'] button")
    expect(first.page.locator(".states")).to_contain_text("已中止")
    expect(leader.page.locator(".states")).to_contain_text("Aborted")
    expect(leader.page.locator("#lasting-title + ul")).to_contain_text("Put the shares in force")
    assert not (office.node.folder / "rehearsals" / number).exists()
