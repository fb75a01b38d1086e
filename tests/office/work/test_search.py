"""The search finds names by character, pinyin and initials, tells nobody's words on, and lets nothing through."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheka.foundation.terms import Term
from sheka.office.audit.models import Event
from sheka.office.scope import acting_in
from sheka.office.staff.permissions import Permission
from sheka.office.work import search as search_module
from sheka.office.work.models import SearchTerm
from sheka.office.work.names import MOST, folded, search_terms
from sheka.office.work.search import Asked, finder, keep_name, keep_names, named_like, search


@pytest.fixture
def people(tree):
    """Four people of Haikou, one of Sanya, by the name as key."""
    for code, names in (("460100", ("张三", "张三丰", "曾见微", "重阳")), ("460200", ("张三娘",))):
        keep_names("test", [(name, code, name) for name in names])


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("张三", ["张三", "张三丰", "张三娘"]),
        ("张", ["张三", "张三丰", "张三娘"]),
        ("zhangsan", ["张三", "张三丰", "张三娘"]),
        ("Zhang San", ["张三", "张三丰", "张三娘"]),
        ("zs", ["张三", "张三丰", "张三娘"]),
        ("zsf", ["张三丰"]),
        ("zengjian", ["曾见微"]),
        ("cjw", ["曾见微"]),
        ("chongyang", ["重阳"]),
        ("z", []),
        ("1", []),
        ("三丰", []),
        ("", []),
    ],
)
def test_a_name_is_found_by_its_beginning(people, typed, found):
    assert sorted(named_like("test", Asked.of(typed))) == sorted(found)


def test_the_nearest_name_comes_first_and_each_once(people):
    assert named_like("test", Asked.of("zhangs"))[0] == "张三"
    assert len(named_like("test", Asked.of("zhangs"), most=1)) == 1


def test_names_of_another_city_are_not_there(people):
    with acting_in("o000000.o460000.o460200"):
        assert named_like("test", Asked.of("zs")) == ["张三娘"]
    with acting_in():
        assert named_like("test", Asked.of("zs")) == []


def test_a_name_that_changed_is_found_by_the_new_one_only(people):
    keep_name("test", "张三", "460100", "李四")
    assert named_like("test", Asked.of("lisi")) == ["张三"]
    assert sorted(named_like("test", Asked.of("张三"))) == ["张三丰", "张三娘"]
    keep_name("test", "张三", "460100", "李四")
    assert SearchTerm.objects.filter(key="张三").count() == 3


@pytest.mark.parametrize(
    "typed",
    [
        "%",
        "_",
        "张%",
        "' OR 1=1 --",
        "o000000.*",
        "zs\0",
        "\\",
        "zs'); DROP TABLE work_search_term; --",
        "\U0010ffff" * 9,
    ],
)
def test_what_is_typed_is_compared_and_nothing_else(people, typed):
    assert set(named_like("test", Asked.of(typed))) <= (
        {"张三", "张三丰", "张三娘"} if typed[:2] in ("zs", "张%") else set()
    )


@given(st.text(max_size=60))
def test_every_name_has_few_terms_and_is_found_by_the_first(name):
    terms = search_terms(name)
    assert len(terms) <= MOST and all(len(term) <= 200 for term in terms)
    assert folded(folded(name)) == folded(name)
    assert not terms or folded(name).startswith(terms[0]) or terms[0] == folded(name)


@pytest.mark.parametrize(
    ("scanned", "meant"),
    [
        ("http://127.0.0.1:8000/verify/ABCDE-FGHJK", "ABCDE-FGHJK"),
        ("https://card.example/verify?code=ABCDE", "ABCDE"),
        ("https://card.example/verify/#ABCDE", "ABCDE"),
        (" H4601-2026 ", "H4601-2026"),
    ],
)
def test_a_scanned_address_stands_for_its_number(scanned, meant):
    assert Asked.of(scanned).text == meant


def test_a_search_is_on_record_without_its_words(appoint, tree):
    asked = []

    def find(actor, what):
        asked.append(what.text)
        return [search_module.Found("a", exact=True)] * 30

    finder("test", Term("试", "Test"), find, needs=(Permission.CARD_VIEW,))
    try:
        with pytest.raises(ValueError, match="found already"):
            finder("test", Term("试", "Test"), find, needs=())
        clerk = appoint("clerk", "460100-01", "clerk")
        (group,) = [group for group in search(clerk, "460100199001010019") if group.title.en == "Test"]
        assert group.more and len(group.found) == search_module.MOST
        event = Event.objects.get(event="search.searched")
        assert '"test":30' in event.facts and '"by":"number"' in event.facts
        assert "460100199001010019" not in event.facts + event.subject
        search(clerk, "")
        assert asked == ["460100199001010019"], "nothing typed, nothing looked for"
        assert not [
            group for group in search(appoint("keys", "460100", "key_officer"), "zs") if group.title.en == "Test"
        ]
        assert Event.objects.filter(event="search.searched", facts__contains="pinyin").exists()
    finally:
        del search_module._finders["test"]


def test_the_office_finds_its_organisations_and_people(appoint, tree):
    administrator = appoint("admin", "460100", "business_administrator")
    appoint("zeng.jw", "460100-01", "clerk")
    keep_name("staff", appoint("plain", "460100-01", "clerk").staff_id, "460100-01", "曾见微")

    def found(text, reader=administrator):
        return {group.title.en: [(one.number, one.exact) for one in group.found] for group in search(reader, text)}

    assert found("longhua")["Organisations"] == found("lhwd")["Organisations"] == [("460100-01", False)]
    assert found("460100-cc")["Organisations"] == [("460100-CC", True)]
    assert found("zengjian")["Members of staff"] == [("plain", False)]
    assert found("zeng.jw")["Members of staff"] == [("zeng.jw", True)]
    assert found("海南") == {}, "what stands above is not the reader's"
    assert found("longhua", appoint("clerk", "460100-01", "clerk")) == {}
