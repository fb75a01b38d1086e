"""Custodians unseal their machine, each at an own browser; the web process sees no share (H5, K6)."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.support.console_world import Town
from tests.support.custodians import Custodian, share_out
from tests.support.pages import Surfer, axe, foreign, inline

from sheka.equipment.encryption_machine.client import EncryptionMachine
from sheka.equipment.encryption_machine.launch import start_machine
from sheka.equipment.server.machine_user import settle
from sheka.equipment.server.node import NodeConfig

ADDRESS = "/machines/unseal"


@pytest.fixture
def machine(town: Town, tmp_path: Path) -> Iterator[EncryptionMachine]:
    """A new machine of Hainan where the town's console looks for it."""
    node = NodeConfig.load(Path(town.log).parent / "node.toml")
    name = node.machine("460000").name
    settle(node, name)  # the folder of the sockets may be the machines' user's already
    handle = start_machine(
        tmp_path, callers=node.machine_callers(name), address=node.machine_address(name), custodians=True
    )
    with handle.client("systems") as client:
        yield client
    handle.stop()


def give(page: Page, holder: int, text: bytes) -> None:
    """Type a share and hand it in."""
    page.fill("#holder", str(holder))
    page.fill("#plain", text.decode())
    with page.expect_navigation():
        page.locator("#plain").press("Enter")


def sealed_with(machine: EncryptionMachine) -> list[Custodian]:
    custodians = share_out(machine, 2, 3)
    machine.seal()
    return custodians


@pytest.mark.req("H5")
@pytest.mark.req("K6")
def test_two_custodians_open_the_machine_and_watch_each_other(
    surf: Surfer, machine: EncryptionMachine, town: Town
) -> None:
    shares = sealed_with(machine)
    first, second = surf.signed_in("hainan-custodian"), surf.signed_in("hainan-custodian-2", "en")
    posted: list[str] = []
    for page in (first, second):
        page.on("request", lambda request: posted.append(urllib.parse.unquote_plus(request.post_data or "")))
        page.goto(ADDRESS)
    expect(first.locator("#progress h2")).to_have_text("已到 0 份，需要 2 份")
    give(first, 3, shares[2].text)
    expect(first.get_by_role("status")).to_contain_text("您的份额已提交")
    expect(first.locator("#progress h2")).to_have_text("已到 1 份，需要 2 份")
    expect(second.locator("#progress h2")).to_have_text("1 of 2 have come")  # without opening the page anew
    give(second, 1, shares[0].text)
    expect(second.locator("#progress h2")).to_have_text("The machine is open")
    expect(first.locator("#progress h2")).to_have_text("加密机已开封")
    expect(first.locator("#plain")).to_have_count(0)
    assert machine.public_key()
    assert any("sealed=" in body for body in posted)
    log = Path(town.log).read_text("utf-8")
    for share in shares:
        digits = share.text.decode().replace(" ", "")
        for body in (*posted, log):
            assert digits not in body.replace(" ", "").upper()
            assert digits[20:52] not in body.upper()
    assert surf.problems == []


@pytest.mark.req("K6")
def test_a_wrong_share_is_named_and_the_others_stand(surf: Surfer, machine: EncryptionMachine) -> None:
    shares = sealed_with(machine)
    page = surf.signed_in("hainan-custodian")
    page.goto(ADDRESS)
    give(page, 1, shares[0].text)
    for holder, text in ((2, shares[2].text), (2, shares[1].text[:-1] + b"Z"), (0, shares[1].text)):
        give(page, holder, text)
        expect(page.get_by_role("alert").first).to_contain_text(f"第{holder}号保管人的份额不对")
        expect(page.locator("#progress h2")).to_have_text("已到 1 份，需要 2 份")
    page.goto(ADDRESS)
    expect(page.locator("[data-failure=shape]")).to_be_hidden()
    page.locator("#plain").press("Enter")
    expect(page.locator("[data-failure=shape]")).to_be_visible()
    surf.problems.clear()  # the refusals above


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_is_in_one_tongue_and_for_everybody_whatever_the_machine_does(
    surf: Surfer, machine: EncryptionMachine, language: str
) -> None:
    page = surf.signed_in("hainan-custodian", language)

    def look() -> None:
        page.goto(ADDRESS)
        assert axe(page) == []
        assert list(foreign(page, language)) == []
        assert inline(page.content()) == []

    look()  # new
    sealed_with(machine)
    look()  # sealed
    haikou = surf.signed_in("haikou-custodian", language)
    haikou.goto(ADDRESS)  # its machine does not run
    expect(haikou.get_by_role("alert").first).to_contain_text("2301")
    assert axe(haikou) == []


def test_only_custodians_find_the_page(surf: Surfer) -> None:
    page = surf.signed_in("hainan-keys")
    answer = page.goto(ADDRESS)
    assert answer is not None
    assert answer.status == 403
    surf.problems.clear()
