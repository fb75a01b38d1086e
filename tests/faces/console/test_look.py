"""How values are written: dates, money, masked numbers, names in their own tongue, refusals in words."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.utils import timezone
from django.utils.translation import override

from sheka.faces.console.telling import is_about_permission, told, why
from sheka.faces.console.templatetags import look
from sheka.foundation.refusals import Code, Refused
from sheka.systems.cards.states import CARD


@pytest.fixture(params=["zh-hans", "en"])
def language(request):
    with override(request.param):
        yield request.param


def said(language, zh, en):
    return zh if language == "zh-hans" else en


def test_a_day_is_written_as_people_write_it(language):
    this_year = timezone.localdate().year
    assert look.day(date(this_year, 3, 9)) == said(language, "3月9日", "9 March")
    assert look.day(date(2019, 12, 1)) == said(language, "2019年12月1日", "1 December 2019")
    assert look.day(None) == "—"
    late = datetime(2019, 6, 30, 23, 30, tzinfo=UTC)
    assert look.day(late) == said(language, "2019年7月1日", "1 July 2019")
    assert look.clock(late) == "07:30"
    assert look.clock(None) == ""


def test_dates_in_a_sentence_are_written_as_people_write_them(language):
    told = look.dated("H46010020191201000001, 2019-12-01; 12-01")
    assert told == said(
        language, "H46010020191201000001, 2019年12月1日; 12-01", "H46010020191201000001, 1 December 2019; 12-01"
    )


def test_money(language):
    assert look.yuan(123456) == said(language, "1,234.56元", "¥1,234.56")
    assert look.count(100000) == "100,000"


def test_a_masked_number_shows_that_something_is_hidden():
    assert look.masked("460***********9803") == "460 •••• 9803"


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("王芳", '<span lang="zh-Hans">王芳</span>'),
        ("by 阿依夏木·托合提, 3", 'by <span lang="zh-Hans">阿依夏木·托合提</span>, 3'),
        ("𬭶𫖯", '<span lang="zh-Hans">𬭶𫖯</span>'),
        ("<b>&</b>", "&lt;b&gt;&amp;&lt;/b&gt;"),
        ("outlet · 3", "outlet · 3"),
    ],
)
def test_chinese_on_an_english_page_is_marked_and_everything_is_escaped(text, english):
    with override("en"):
        assert look.tongue(text) == english
        assert look.tongue(look.tongue(text)) == look.tongue(text) or "span" in english
    with override("zh-hans"):
        assert "span" not in look.tongue(text)
        assert "<b>" not in look.tongue(text)
        assert look.recorded(text) == english


def test_a_bar_is_never_nothing_for_something():
    assert [look.share_of(number, 1000) for number in (0, 1, 500, 1000)] == [0, 1, 50, 100]


def test_a_refusal_by_state_speaks_in_words(language):
    with pytest.raises(Refused) as caught:
        CARD.after("in_stock", "unblock_unused")
    answer = told(caught.value)
    assert answer.number == Code.STATE_FORBIDS.value
    assert "in_stock" not in answer.text + answer.todo
    assert said(language, "在库", "In stock") in answer.text
    assert said(language, "解锁", "Unblock") in answer.text
    assert said(language, "已锁定", "Blocked") in answer.todo
    assert why(caught.value.text(language)) == said(
        language, "当前状态下不能办理：在库", "Not while the state is: In stock"
    )


def test_other_reasons_stay_as_they_are(language):
    refusal = Refused(Code.PERMISSION_MISSING, permission="card.block")
    assert is_about_permission(refusal.text(language))
    assert why(refusal.text(language)) == refusal.text(language)
    assert not is_about_permission(Refused(Code.CARD_UNKNOWN, card="D1").text(language))
    named = Refused(
        Code.PERMISSION_MISSING,
        permission=said(language, "锁定与解锁（card.block）", "“Block and unblock cards” (card.block)"),
    )
    assert told(refusal) == (3001, named.text(language), named.todo(language))


def test_an_event_without_a_word_is_shown_by_its_code():
    assert look.event_word("moon.landed") == "moon.landed"
    with override("zh-hans"):
        assert look.event_word("card.hand_out") == "发放"


def test_a_refusal_of_a_transaction_that_names_facts_is_told_without_holes(language):
    for code in Code:
        if 4400 <= code.value < 4500:
            assert "?" not in look.refusal_word(code.value)
