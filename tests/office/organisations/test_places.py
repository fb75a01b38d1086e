"""Where organisations of each kind stand, how they move and close, and that the tree stays a tree."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import DataError, ProgrammingError, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sheka.foundation.refusals import Code, Refused
from sheka.office.audit.models import Event
from sheka.office.organisations.actions.add_organisation import add_organisation
from sheka.office.organisations.actions.close_organisation import close_organisation
from sheka.office.organisations.actions.move_organisation import move_organisation
from sheka.office.organisations.actions.rename_organisation import rename_organisation
from sheka.office.organisations.models import Kind, Organisation
from sheka.office.organisations.places import MAY_STAND_UNDER, NAMES
from sheka.office.organisations.queries import children_of, path_label, search_organisations, tree_of
from sheka.office.scope import acting_in
from sheka.office.staff.actors import Actor
from sheka.office.staff.models import StaffMember
from sheka.office.staff.queries import actor_named, actor_of
from sheka.systems.cards.models import Person

pytestmark = [pytest.mark.django_db]
SINCE = date(2026, 1, 1)


def refused(verb) -> Refused:
    with pytest.raises(Refused) as caught:
        verb()
    return caught.value


@pytest.fixture
def add(installer, tree):
    """add(code, kind, parent) → a new organisation."""

    def make(
        code: str, kind: str, parent: str | None, region: str = "460100", actor: Actor = installer
    ) -> Organisation:
        return add_organisation(
            actor, code=code, name=f"甲{code}", name_en=code, kind=kind, region=region, parent=parent, valid_from=SINCE
        )

    return make


def test_every_kind_has_a_name_and_its_places():
    assert NAMES.keys() == MAY_STAND_UNDER.keys() == set(Kind)
    assert [kind for kind in Kind if not MAY_STAND_UNDER[kind]] == [Kind.MINISTRY]
    partners = {Kind.HOSPITAL, Kind.PHARMACY, Kind.BANK, Kind.CARD_FACTORY, Kind.SECURITY_COMPANY, Kind.OUTLET}
    assert not partners & frozenset().union(*MAY_STAND_UNDER.values())


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.MINISTRY])
def test_each_kind_stands_where_the_table_says_and_nowhere_else(add, tree, kind):
    above = {Kind(place.kind): place.code for place in tree.values()}
    for parent, code in above.items():
        own = "469026" if kind in {Kind.PROVINCE, Kind.CITY, Kind.DISTRICT} else "X1"
        if parent in MAY_STAND_UNDER[kind]:
            assert add(own, kind, code, region="469026" if own == "469026" else "460100").kind == kind
            return
    refusal = refused(lambda: add("X1", kind, "460100-01"))
    assert refusal.code is Code.ORGANISATION_WRONG_PLACE


def test_nothing_stands_under_a_counter_or_a_partner(add):
    add("P1", "pharmacy", "460100")
    for parent in ("460100-01", "460100-CC", "P1"):
        for kind in ("outlet", "hospital", "district"):
            assert (
                refused(lambda parent=parent, kind=kind: add("X1", kind, parent)).code is Code.ORGANISATION_WRONG_PLACE
            )


@pytest.mark.parametrize(
    ("code", "kind", "region"),
    [
        ("460106", "district", "460107"),
        ("46010", "city", "46010"),
        ("460106", "outlet", "460106"),
        ("x1", "bank", "460100"),
        ("A-B-C", "bank", "460100"),
        ("A.B", "bank", "460100"),
        ("A*", "bank", "460100"),
        ("医院", "hospital", "460100"),
        ("A" * 21, "bank", "460100"),
        ("", "bank", "460100"),
    ],
)
def test_a_code_that_would_break_the_tree_is_refused(add, code, kind, region):
    parent = "460000" if kind == "city" else "460100"
    assert refused(lambda: add(code, kind, parent, region=region)).code is Code.ORGANISATION_CODE


def test_a_move_takes_everything_below_along_and_rows_follow(add, tree, installer, appoint):
    add("460300", "city", "460000", region="460300")
    add("460106", "district", "460100", region="460106")
    add("460106-01", "outlet", "460106")
    clerk = appoint("clerk", "460106-01")
    Person.objects.create(
        organisation_id="460106", social_security_number="110101199003070134", name="甲", sex=1, birth=SINCE,
        ethnic_group="01", registered_at=timezone.now(),
    )  # fmt: skip
    moved = move_organisation(installer, code="460106", to="460300", reason="区划调整")
    assert (moved.parent_id, moved.path) == ("460300", "o000000.o460000.o460300.o460106")
    assert Organisation.objects.get(code="460106-01").path == "o000000.o460000.o460300.o460106.o460106_01"
    assert actor_named("clerk").path.startswith("o000000.o460000.o460300.")
    assert clerk.path.startswith("o000000.o460000.o460100.")
    with acting_in(tree["460100"].path):
        assert not Person.objects.exists()
        assert not StaffMember.objects.filter(login="clerk").exists()
    with acting_in("o000000.o460000.o460300"):
        assert Person.objects.count() == 1
    event = Event.objects.get(event="organisation.moved")
    assert '"before":"460100"' in event.facts.replace(" ", "")
    assert '"organisations":2' in event.facts.replace(" ", "")


def test_a_move_needs_both_superiors_a_place_and_a_change(add, tree, installer, appoint):
    add("460106", "district", "460100", region="460106")
    add("P1", "pharmacy", "460106")
    city = appoint("city", "460100", "business_administrator")
    cases = (
        (Code.ORGANISATION_OUT_OF_REACH, lambda: move_organisation(city, code="P1", to="460200", reason="x")),
        (Code.ORGANISATION_OUT_OF_REACH, lambda: move_organisation(city, code="460100", to="460000", reason="x")),
        (Code.ORGANISATION_UNDER_ITSELF, lambda: move_organisation(installer, code="460100", to="460106", reason="x")),
        (Code.ORGANISATION_UNDER_ITSELF, lambda: move_organisation(installer, code="460100", to="460100", reason="x")),
        (Code.ORGANISATION_WRONG_PLACE, lambda: move_organisation(installer, code="460100", to="460200", reason="x")),
        (Code.ORGANISATION_WRONG_PLACE, lambda: move_organisation(installer, code="000000", to="460000", reason="x")),
        (Code.ORGANISATION_SAME, lambda: move_organisation(installer, code="P1", to="460106", reason="x")),
        (Code.STAFF_REASON, lambda: move_organisation(installer, code="P1", to="460100", reason=" ")),
        (Code.ORGANISATION_UNKNOWN, lambda: move_organisation(installer, code="P1", to="nowhere", reason="x")),
    )
    for code, verb in cases:
        assert refused(verb).code is code
    assert move_organisation(city, code="P1", to="460100", reason="x").path.endswith("o460100.oP1")


def test_a_closed_organisation_neither_acts_nor_takes_people_nor_signs_in(add, installer, appoint, tree):
    add("P1", "pharmacy", "460100")
    keeper = appoint("keeper", "P1")
    today = timezone.localdate()
    closed = close_organisation(installer, code="P1", on=today, reason="停业")
    assert closed.valid_to == today
    keeper = Actor(keeper.staff_id, keeper.name, "P1", keeper.path, installer.permissions)
    verbs = (
        lambda: rename_organisation(keeper, code="P1", name="新", name_en="New"),
        lambda: actor_of(StaffMember.objects.get(login="keeper")),
        lambda: appoint("late", "P1"),
        lambda: move_organisation(installer, code="P1", to="460200", reason="x"),
        lambda: close_organisation(installer, code="P1", on=today, reason="again"),
    )
    for verb in verbs:
        assert refused(verb).code is Code.ORGANISATION_NOT_IN_FORCE
    add("460300", "city", "460000", region="460300")
    later = today + timedelta(days=30)
    close_organisation(installer, code="460300", on=later, reason="撤并")
    assert add("460300-01", "outlet", "460300").parent_id == "460300"
    assert Organisation.objects.filter(Organisation.in_force(today), code="460300").exists()
    assert not Organisation.objects.filter(Organisation.in_force(later), code="460300").exists()


def test_what_is_left_keeps_it_open_and_is_named(add, installer, appoint, tree):
    appoint("clerk", "460100-01", "clerk")
    refusal = refused(lambda: close_organisation(installer, code="460100-01", on=timezone.localdate(), reason="x"))
    assert refusal.code is Code.ORGANISATION_BUSY
    assert "people with roles: 1" in refusal.text("en")
    assert "仍有授权的人员 1" in refusal.text("zh-Hans")
    refusal = refused(lambda: close_organisation(installer, code="460100", on=timezone.localdate(), reason="x"))
    assert "organisations below it: 3" in refusal.text("en")


def test_only_the_superior_closes_and_not_backwards(installer, appoint, tree):
    city = appoint("city", "460100", "business_administrator")
    today = timezone.localdate()
    for actor, code in ((city, "460100"), (installer, "000000"), (city, "460200")):
        refusal = refused(lambda actor=actor, code=code: close_organisation(actor, code=code, on=today, reason="x"))
        assert refusal.code is Code.ORGANISATION_OUT_OF_REACH
    for on in (today - timedelta(days=1), SINCE):
        refusal = refused(lambda on=on: close_organisation(installer, code="460200", on=on, reason="x"))
        assert refusal.code is Code.ORGANISATION_DATES
    assert refused(lambda: close_organisation(installer, code="460200", on=today, reason="")).code is Code.STAFF_REASON


def test_a_new_name_keeps_the_code_and_the_old_name_in_the_audit(installer, tree):
    renamed = rename_organisation(installer, code="460200", name=" 三亚新名 ", name_en="Sanya, renamed")
    assert (renamed.name, renamed.label("en")) == ("三亚新名", "Sanya, renamed")
    assert "三亚市" in Event.objects.get(event="organisation.renamed").facts
    for name, english in (("三亚新名", "Sanya, renamed"), ("", "x"), ("x", "  ")):
        verb = lambda name=name, english=english: rename_organisation(  # noqa: E731
            installer, code="460200", name=name, name_en=english
        )
        assert refused(verb).code is Code.ORGANISATION_SAME


def test_tree_children_and_search_stay_below_the_reader(appoint, tree, add):
    add("H-100", "hospital", "460100")
    city = appoint("city", "460100")
    assert [(depth, place.code) for depth, place in tree_of(city)] == [
        *((0, "460100"), (1, "460100-01"), (1, "460100-CC"), (1, "460107"), (1, "H-100")),
    ]
    assert sorted(place.code for place in children_of(city, "460100")) == ["460100-01", "460100-CC", "460107", "H-100"]
    assert refused(lambda: children_of(city, "460000")).code is Code.ORGANISATION_OUT_OF_REACH
    assert [place.code for place in search_organisations(city, "outlet")] == ["460100-01", "460100-CC"]
    assert [place.code for place in search_organisations(city, " 龙华 ")] == ["460100-01"]
    for text in ("", "  ", "\0", "%", "_", "o460100.*", "' OR 1=1 --", "*{1,}", "Sanya", "\\"):
        assert list(search_organisations(city, text)) == [], text


@pytest.mark.parametrize("text", ["o000000.*", "*", "!o460100", "o460100|o460200", "o000000.o460000; DROP", "@%"])
def test_a_path_that_is_a_pattern_is_refused_by_the_type(tree, text):
    """`path__within` takes an ltree, never an lquery: text that somebody typed cannot widen it."""
    with pytest.raises((DataError, ProgrammingError), match="ltree syntax error"), transaction.atomic():
        list(Organisation.objects.filter(path__within=text))


STEPS = st.lists(
    st.tuples(st.sampled_from(["add", "move", "close"]), st.integers(0, 9), st.integers(0, 12)), max_size=14
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_the_tree_agrees_with_a_tree_in_memory(steps, installer, tree):
    """Whatever is added, moved and closed: a path is its superior's and the own label; a refusal changes nothing."""
    offices = ["460000", "460100", "460200"]
    model = {code: (place.parent_id, False) for code, place in tree.items()}
    today = timezone.localdate()
    prefix = f"R{Organisation.objects.count()}"
    for verb, which, where in steps:
        code = f"{prefix}-{which}"
        places = [*offices, *(f"{prefix}-{n}" for n in range(10))]
        to = places[where]
        try:
            if verb == "add":
                add_organisation(
                    installer, code=code, name=code, name_en=code, kind="hospital", region="460100", parent=to,
                    valid_from=SINCE,
                )  # fmt: skip
                assert code not in model
                assert to in offices
                model[code] = (to, False)
            elif verb == "move":
                move_organisation(installer, code=code, to=to, reason="r")
                assert model[code] != (to, False)
                assert to in offices
                model[code] = (to, False)
            else:
                close_organisation(installer, code=code, on=today, reason="r")
                assert model[code][1] is False
                model[code] = (model[code][0], True)
        except Refused as refusal:
            known, office = model.get(code), to in offices
            right = {
                "add": known is not None or not office,
                "move": known is None or known[1] or not office or known[0] == to,
                "close": known is None or known[1],
            }
            assert right[verb], refusal
    rows = {row.code: row for row in Organisation.objects.all()}
    for code, (parent, closed) in model.items():
        row = rows[code]
        above = f"{rows[parent].path}." if parent else ""
        assert (row.parent_id, row.path) == (parent, f"{above}{path_label(code)}")
        assert (row.valid_to is not None) is closed
