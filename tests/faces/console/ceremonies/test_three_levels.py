"""Seven people of the ministry make the roots in browsers; the sub-keys go down to Hainan and Haikou on transmission
key cards, from hand to hand (K1, K2, K5, K6). Nothing is done but by people at their pages.
"""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import expect
from tests.support.ceremony_browser import Person
from tests.support.three_levels import PIN, three_levels
from tests.support.world import World

SM4 = "3"
SHORT = 8
UNCERTIFIED = "部级尚未确认序列号"


@pytest.fixture(scope="module")
def levels(test_cluster):
    with three_levels(World()) as made:
        yield made


class Office:
    """The seven people of one level, each at a browser."""

    def __init__(self, chromium, levels, name):
        self.name, self.levels = name, levels
        parts = {
            "officer": "keys",
            "approver": "keys-2",
            "leader": "leader",
            "first": "custodian",
            "second": "custodian-2",
            "third": "custodian-3",
            "witness": "auditor",
        }
        self.people = {
            part: Person(chromium, levels.address, f"{name}-{login}", levels.facts["password"])
            for part, login in parts.items()
        }

    def __getattr__(self, part):
        return self.people[part]

    def leave(self):
        problems = [problem for person in self.people.values() for problem in person.problems]
        for person in self.people.values():
            person.context.close()
        assert not problems, problems

    def ask(self, step, **chosen):
        """The officer asks for a step in the life of keys; the approver reads and approves it; its number."""
        page = self.officer.page
        page.goto(f"/keys/ask/{step}")
        for field, value in chosen.items():
            page.select_option(f"#{field}", value)
        self.officer.send()
        return self.approved()

    def ask_for_ceremony(self, kind, why):
        page = self.officer.page
        page.goto("/keys/ceremonies/plan")
        page.select_option("#kind", kind)
        page.fill("#why", why)
        self.officer.send("section[aria-labelledby=ask-title] button")
        return self.approved()

    def approved(self):
        number = self.officer.page.url.rpartition("/")[2]
        page = self.approver.page
        page.goto(f"/approvals/{number}")
        page.check("#verdict")
        self.approver.send("button:has-text('提交审批决定')")
        return number

    def hold(self, kind, request, custodians=2, **asked):
        """The officer plans; leader, custodians and witness act in turn until everybody has signed; its number."""
        page = self.officer.page
        page.goto(f"/keys/ceremonies/plan/{kind}?request={request}")
        roster = ["leader", *("first", "second", "third")[:custodians], "witness"]
        fields = ["leader", *(f"custodian_{place}" for place in range(1, custodians + 1)), "witness"]
        for part, field in zip(roster, fields, strict=True):
            page.select_option(f"#{field}", label=self.called(part))
        for field, value in asked.items():
            page.fill(f"#{field}", value)
        self.officer.send()
        number = page.url.rpartition("/")[2]
        self.play(number, [self.people[part] for part in roster])
        expect(page.locator(".states")).to_contain_text("已完成", timeout=20_000)
        return number

    def called(self, part):
        return self.levels.facts["names"][self.people[part].login]

    def play(self, number, roster):
        typed = {"fingerprint": self.levels.facts["fingerprints"][self.name][-SHORT:], "pin": PIN}
        acted = True
        while acted:
            acted = False
            for person in roster:
                if person.in_turn(number):
                    person.go(number)
                    wanted = {name: value for name, value in typed.items() if person.page.locator(f"#{name}").count()}
                    person.act(**wanted)
                    acted = True


def _arrived(page, number):
    """The receiver's page has the hand-over, and the ministry has confirmed the serials."""
    there = page.goto(f"/custody/hand-overs/{number}").ok
    return there and page.locator("a[href$='/take']").count() and not page.locator(f"text={UNCERTIFIED}").count()


def hand_over(giver, receiver, to, serials):
    """From a custodian's page to another's, at the level below."""
    page = giver.page
    page.goto(f"/custody/hand-overs/new?serials={','.join(serials)}&to={to}")
    page.fill("#reason", "子密钥下发")
    giver.send()
    number = page.url.rpartition("/")[2]
    page.goto(f"/custody/hand-overs/{number}/give")
    giver.send()
    deadline = time.monotonic() + 60
    while not _arrived(receiver.page, number):
        assert time.monotonic() < deadline, "the hand-over came with the ministry's word for its serials"
        time.sleep(0.5)
    receiver.page.goto(f"/custody/hand-overs/{number}/take")
    receiver.send()


def keys_at(test_cluster, levels, code):
    """Name → (state, check value, the superior's check value) of the keys of the cards at one level."""
    with test_cluster.administrator(levels.node.file.database.name) as connection:
        rows = connection.execute(
            "SELECT name, state, check_value, parent_check_value FROM keys_key"
            " WHERE organisation_id = %s AND owner_level IN ('ministry', 'province', 'city')",
            (code,),
        ).fetchall()
    return {row[0]: row[1:] for row in rows}


@pytest.mark.req("S1")
@pytest.mark.req("K1")
@pytest.mark.req("K2")
@pytest.mark.req("K5")
@pytest.mark.req("K6")
def test_seven_people_make_the_roots_and_the_sub_keys_reach_the_city_on_cards(chromium, levels, test_cluster):
    first_card, second_card = levels.facts["cards"]
    ministry, hainan = (Office(chromium, levels, name) for name in ("ministry", "hainan"))
    ministry.hold("keys.generate", ministry.ask("generate", algorithm=SM4, version="1"), custodians=3)
    roots = keys_at(test_cluster, levels, "000000")
    assert "IRK" in roots and {row[0] for row in roots.values()} == {"generated"}

    request = ministry.ask("export", to="460000", algorithm=SM4, version="1")
    ministry.hold("keys.export", request, carrier=first_card)
    hand_over(ministry.first, hainan.second, "460000", [first_card, second_card])
    ministry.leave()
    request = hainan.ask_for_ceremony("keys.import", "部级下发的子密钥")
    hainan.hold("keys.import", request, carrier=first_card)
    held = keys_at(test_cluster, levels, "460000")
    assert {name: row[2] for name, row in held.items()} == {name: row[1] for name, row in roots.items()}

    request = hainan.ask("export", to="460100", algorithm=SM4, version="1")
    hainan.hold("keys.export", request, carrier=second_card)
    haikou = Office(chromium, levels, "haikou")
    hand_over(hainan.first, haikou.second, "460100", [second_card])
    hainan.leave()
    request = haikou.ask_for_ceremony("keys.import", "省级下发的子密钥")
    haikou.hold("keys.import", request, carrier=second_card)
    haikou.hold("keys.activate", haikou.ask("activate", algorithm=SM4, version="1"))
    city = keys_at(test_cluster, levels, "460100")
    assert {name: row[2] for name, row in city.items()} == {name: row[1] for name, row in held.items()}
    assert {row[0] for row in city.values()} == {"active"}

    page = haikou.officer.page
    page.goto("/keys/of/IRK.SM4.1/tree")
    for value in (held["IRK"][1], city["IRK"][1]):
        expect(page.locator("main")).to_contain_text(value)
    haikou.leave()
