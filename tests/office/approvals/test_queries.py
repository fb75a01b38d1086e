"""What a reader finds in the inbox, how a request reads, and what work it gives to whom."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from tests.support.approvals import decided, policy_with

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.approvals.actions.expire import expire_due
from sheka.office.approvals.actions.reassign import reassign
from sheka.office.approvals.matters import Field, Matter, matter_of, matters, read_lines, register, with_changes
from sheka.office.approvals.queries import decided_by, expired_for, made_by, proposal_read_by, to_decide
from sheka.office.approvals.routes import Route, route_for
from sheka.office.approvals.seats import place_term
from sheka.office.staff.permissions import Permission
from sheka.office.work.models import WorkItem, WorkNotice
from sheka.office.work.scope import reading_as


def test_an_inbox_holds_what_waits_what_was_decided_what_is_mine_and_what_lapsed(ask, people, copy, too_late):
    made, late = ask("test.way"), ask()
    assert set(to_decide(people["one"])) == {made, late} and not to_decide(people["author"])
    assert set(made_by(people["author"])) == {made, late}
    decided(people["one"], made)
    assert list(decided_by(people["one"])) == [made] and list(to_decide(people["one"])) == [late]
    there = copy(made, "460000")
    assert list(to_decide(people["examiner"])) == [there]
    too_late(late)
    expire_due()
    assert list(expired_for(people["two"])) == [late]
    assert not expired_for(people["examiner"])


def test_a_request_is_read_by_whom_it_concerns_and_nobody_else(ask, people, appoint, copy):
    made = ask("test.way")
    for reader in ("author", "one", "colleague"):
        assert proposal_read_by(people[reader], made.pk) == made
    decided(people["one"], made)
    there = copy(made, "460000")
    assert proposal_read_by(people["examiner"], there.pk) == there
    planner = appoint("planner", "460100", "card_planner")
    for reader, key in ((planner, made.pk), (people["examiner"], made.pk), (people["one"], there.pk)):
        with pytest.raises(Refused) as unknown:
            proposal_read_by(reader, key)
        assert unknown.value.code is Code.APPROVAL_UNKNOWN
    retired = replace(people["one"], permissions=frozenset())
    assert proposal_read_by(retired, made.pk) == made


def test_work_follows_the_turn(ask, people, copy):
    def open_items():
        return {
            (row.organisation_id, row.kind, row.permission, row.assignee_id)
            for row in WorkItem.objects.exclude(state="done")
        }

    made = ask("test.way")
    assert open_items() == {("460100", "approval.decide", "key.decide", None)}
    reassign(people["one"], proposal_id=made.pk, to=people["two"].staff_id, reason="hers")
    assert open_items() == {("460100", "approval.decide", "key.decide", people["two"].staff_id)}
    decided(people["two"], made)
    there = copy(made, "460000")
    assert open_items() == {("460000", "approval.decide", "issuance.examine", None)}
    decided(people["examiner"], there, "supplement", "more")
    copy(made, "460100")
    assert open_items() == {("460100", "approval.complete", "key.propose", people["author"].staff_id)}
    assert WorkItem.objects.get(kind="approval.complete").returned
    with reading_as(people["author"].staff_id):
        told = WorkNotice.objects.get()
    assert (told.staff_id, told.kind, told.subject) == (people["author"].staff_id, "approval.returned", made.key)
    assert told.text_en == "Matter of a test: returned for completion"


def test_a_request_reads_in_both_languages_and_shows_what_changed():
    matter = matter_of("test.one")
    now, before = {"amount": 8, "names": ["a", "b"], "extra": {"deep": 1}}, {"amount": 7, "names": ["a", "b"]}
    lines = read_lines(matter, now, before, "zh-hans")
    assert [(line.label, line.value, line.before) for line in lines] == [
        ("数目", "8", "7"),
        ("名称", "a、b", None),
        ("extra.deep", "1", "—"),
    ]
    assert read_lines(matter, now, None, "en")[1].value == "a, b"
    keys = matter_of("keys.generate")
    assert read_lines(keys, {"algorithm": 3, "version": 1, "names": []}, None, "en")[0].value == "SM4"
    shown = Field("x", Term("甲", "A"), show=lambda value: Term("是", "yes"))
    told = Matter("test.told", Term("乙", "B"), Permission.KEY_VIEW, Permission.KEY_VIEW, (shown,))
    assert read_lines(told, {"x": 1}, {"x": {"y": 2}}, "en")[0].value == "yes"


def test_only_what_may_be_edited_is_changed():
    matter = matter_of("issuance.apply")
    payload = {"scope": "a", "materials": {"security_plan": "b", "other": "c"}, "quantity": 5}
    changed = with_changes(matter, payload, {"materials.security_plan": "d", "quantity": 6})
    assert changed == {"scope": "a", "materials": {"security_plan": "d", "other": "c"}, "quantity": 6}
    with pytest.raises(Refused) as refused:
        with_changes(matter, payload, {"applicant": "460200"})
    assert refused.value.code is Code.APPROVAL_NOT_EDITABLE


def test_a_kind_is_declared_once():
    register(matter_of("test.one"))
    with pytest.raises(ValueError, match="already"):
        register(replace(matter_of("test.one"), views=Permission.KEY_PROPOSE))
    assert {"issuance.apply", "keys.generate"} <= {matter.kind for matter in matters()}


def test_a_level_that_is_not_above_is_left_out(tree, routes):
    def places(code):
        return [step.organisation for step in route_for("test.way", tree[code], day).steps]

    day = date(2026, 6, 1)
    assert places("460100") == ["460100", "460000", "000000"]
    assert places("460100-01") == ["460100-01", "460000", "000000"]
    assert places("460000") == ["460000", "000000"]
    assert places("000000") == ["000000"]
    for wrong in (("test.way", date(2025, 12, 31)), ("test.nothing", day)):
        with pytest.raises(Refused) as refused:
            route_for(wrong[0], tree["460100"], wrong[1])
        assert refused.value.code is Code.APPROVAL_NO_ROUTE


def test_a_route_survives_its_journey_as_json(tree, routes):
    route = route_for("test.way", tree["460100"], date(2026, 6, 1))
    assert Route.of(route.plain()) == route
    assert (place_term("460100").zh, place_term("999999").zh) == ("海口市", "999999")


def test_a_route_with_a_right_that_nobody_knows_stops(tree, tmp_path, monkeypatch):
    folder = policy_with(tmp_path, "")
    path = folder / "approvals.toml"
    path.write_text(path.read_text("utf-8").replace("key.decide", "key.everything"), "utf-8")
    monkeypatch.setenv("SHEKA_POLICY", str(folder))
    with pytest.raises(Refused) as refused:
        route_for("keys.generate", tree["460100"], date(2026, 6, 1))
    assert refused.value.code is Code.PERMISSION_UNKNOWN
