"""Lists: what the address may ask for, what a file holds, what is recorded."""

from __future__ import annotations

import base64
import io
import re
from datetime import date, datetime
from html import unescape
from zoneinfo import ZoneInfo

import pytest
from django.core import signing
from django.test import RequestFactory
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from sheka.faces.console import list_files, list_jobs, lists
from sheka.faces.console.filters import clean
from sheka.faces.console.list_cells import filed, guarded
from sheka.faces.console.lists import Column, Days, Listing, Select, Stamp, Text, read_list, show_list
from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import transaction
from sheka.office.audit.models import Event
from sheka.office.organisations.models import Organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.models import StaffSession
from sheka.office.staff.permissions import Permission

SHANGHAI = ZoneInfo("Asia/Shanghai")
KINDS = (("city", "City"), ("outlet", "Outlet"), ("card_centre", "Card centre"), ("province", "Province"))


def listing(**changes):
    """The organisations of a few kinds that an actor reaches."""
    given_ = {
        "name": "places",
        "title": "Places",
        "rows": lambda actor: Organisation.objects.filter(path__within=actor.path, kind__in=dict(KINDS)),
        "default_sort": "code",
        "columns": [
            Column("code", "Code", lambda row: row.code, sort="code", kind="number", link=lambda row: f"/x/{row.code}"),
            Column("name", "Name", lambda row: row.name, sort="name"),
            Column("kind", "Kind", lambda row: Stamp(row.kind, "info"), sort="kind"),
            Column("from", "Valid from", lambda row: row.valid_from, sort="valid_from"),
            Column("region", "Region", lambda row: row.region),
        ],
        "filters": [
            Select("kind", "Kind", KINDS, "kind"),
            Text("name", "Name", ("name", "name_en")),
            Days("valid", "Valid", "valid_from"),
        ],
        "empty_title": "No places",
        "empty_text": "They appear when they are added.",
    }
    return Listing(**given_ | changes)


def acting(place, *permissions):
    return Actor(7, "somebody", place, Organisation.objects.get(code=place).path, frozenset(permissions))


@pytest.fixture
def ask(tree):
    """ask(query) → a request for a list by an auditor of the province."""
    actor = acting("460000", Permission.LIST_EXPORT)

    def make(query="", who=actor):
        request = RequestFactory().get(f"/places?{query}")
        request.actor = who
        request.staff_session = StaffSession(started_at=timezone.now(), seen_at=timezone.now())
        return request

    return make


def codes(shown):
    return [re.sub("<.*?>", "", str(line.head.text)) for line in shown.lines]


def test_rows_are_those_of_the_actor_in_a_stable_order(ask):
    everything = ["460000", "460100", "460100-01", "460100-CC", "460200"]
    assert codes(read_list(ask(), listing())) == everything
    assert codes(read_list(ask("sort=-code"), listing())) == everything[::-1]
    rows, _, sort = listing().choose({"sort": "-kind"}, ask().actor)
    assert sort == "-kind"
    assert rows.query.order_by == ("-kind", "pk")


@pytest.mark.parametrize(
    "query",
    [
        "sort=password",
        "sort=region",
        "sort=--code",
        "sort=code;DROP TABLE x",
        "sort=parent__path",
        "kind=nonsense",
        "kind=city' OR '1'='1&kind=x",
        "page=-1",
        "page=0",
        "page=9999999999999",
        "page=2",
        "page=٣",
        "size=1000000",
        "size=-1",
        "valid_from=yesterday",
        "valid_from=0001-01-01",
        "valid_to=9999-12-31",
        "unknown=1",
        "name=%00",
        "name=  ",
        "name=460100199001011234",
    ],
)
def test_what_the_address_does_not_know_changes_nothing(ask, query):
    """An address is typed, sent on and attacked: it must neither bring the page down nor show more."""
    shown = read_list(ask(query), listing())
    assert codes(shown) == ["460000", "460100", "460100-01", "460100-CC", "460200"]
    assert shown.chips == []


def test_a_persons_number_never_comes_back_in_an_address(ask):
    shown = read_list(ask("name=46010019900101123x&kind=city"), listing())
    assert all(
        "460100199001" not in address for address in (shown.bare, shown.export, *(c.without for c in shown.chips))
    )
    assert clean({"a": "找46010019900101123X号"}, "a") == ""
    assert clean({"a": "H46010020261122000001"}, "a") == "H46010020261122000001"


def test_filters_narrow_and_tell_and_can_be_taken_away(ask):
    shown = read_list(ask("kind=city&name=海&sort=-code&page=1&size=25"), listing())
    assert codes(shown) == ["460100"]
    assert [(chip.title, chip.told, chip.without) for chip in shown.chips] == [
        ("Kind", "City", "?name=%E6%B5%B7&sort=-code&size=25"),
        ("Name", "海", "?kind=city&sort=-code&size=25"),
    ]
    assert shown.bare == "?sort=-code&size=25"
    assert codes(read_list(ask("name=hAIKou"), listing())) == ["460100"]
    assert codes(read_list(ask("name=100%25"), listing())) == []


def test_days_are_shanghais_and_both_ends_count(ask):
    first = "valid_from=2026-01-01&valid_to=2026-01-01"
    with override("en"):
        shown = read_list(ask(first), listing())
    assert len(shown.lines) == 5
    assert re.fullmatch(r"1 January.* to 1 January.*", shown.chips[0].told)
    assert codes(read_list(ask("valid_from=2026-01-02"), listing())) == []
    assert codes(read_list(ask("valid_to=2025-12-31"), listing())) == []
    moments = Days("at", "At", "at", moments=True)
    rows, _ = moments.apply(Event.objects.all(), {"at_from": "2026-01-01", "at_to": "2026-01-01"}, ask().actor)
    assert rows.query.sql_with_params()[1] == (
        datetime(2026, 1, 1, tzinfo=SHANGHAI),
        datetime(2026, 1, 2, tzinfo=SHANGHAI),
    )


def test_pages_and_sizes(ask, monkeypatch):
    monkeypatch.setattr(lists, "SIZES", (2, 3))
    small = listing(size=2)
    first, last = read_list(ask(), small), read_list(ask("page=3"), small)
    assert (first.page, first.pages, first.total, first.previous, first.next) == (1, 3, 5, "", "?page=2")
    assert (codes(last), last.previous, last.next) == (["460200"], "?page=2", "")
    assert codes(read_list(ask("page=8"), small)) == codes(last)
    assert [row[:1] + row[2:] for row in read_list(ask("size=3&page=2"), small).sizes] == [(2, False), (3, True)]


def test_a_long_list_is_counted_up_to_a_bound(ask, monkeypatch):
    monkeypatch.setattr(lists, "SIZES", (2, 25, 50, 100))
    monkeypatch.setattr(lists, "COUNTED", 4)
    shown = read_list(ask("size=2&page=3"), listing())
    assert (shown.total, shown.more, shown.page, shown.pages) == (4, True, 2, 2)
    with override("en"):
        page = show_list(ask(), listing()).content.decode()
    assert "More than 4 rows: set a filter to see fewer" in page


def test_the_page_says_its_order_and_leads_to_its_rows(ask):
    with override("en"):
        page = unescape(show_list(ask("sort=-name&kind=city"), listing(tick=lambda row: row.code)).content.decode())
    assert 'scope="col" class="text" aria-sort="descending"><a id="sort-name" href="?sort=name&kind=city">' in page
    assert 'scope="col" class="number" aria-sort="none"><a id="sort-code" href="?sort=code&kind=city">' in page
    assert 'scope="row" class="number" id="row-1"><a href="/x/460100">460100</a></th>' in page
    assert 'form="ticked" name="ticked" value="460100" aria-labelledby="row-1"' in page
    assert '<span lang="zh-Hans">海口市</span>' in page
    assert '<span class="seal seal--info">city</span>' in page


def test_an_empty_list_helps(ask):
    with override("en"):
        assert "Nothing fits the filters" in show_list(ask("name=nowhere"), listing()).content.decode()
        nothing = listing(rows=lambda actor: Organisation.objects.none())
        page = show_list(ask(), nothing).content.decode()
    assert "No places" in page
    assert "They appear when they are added." in page
    assert "Excel" not in page


def test_what_is_written_is_escaped(ask):
    evil = '<img src=x onerror=alert(1)>"'
    columns = [Column("code", evil, lambda row: evil, sort="code"), Column("two", "Two", lambda row: Stamp(evil))]
    page = show_list(ask("name=" + "%3Cscript%3E"), listing(columns=columns, title=evil, empty_title=evil)).content
    page += show_list(ask(), listing(columns=columns, title=evil)).content
    assert b"<img" not in page
    assert b"<script>" not in page


def test_a_list_that_cannot_be_is_refused_when_it_is_declared():
    for wrong in (
        {"default_sort": "region"},
        {"default_sort": "-nothing"},
        {"size": 7},
        {"filters": [Text("page", "Page", ("code",))]},
        {"filters": [Text("a", "A", ("code",)), Select("a", "A", KINDS, "kind")]},
        {"columns": [Column("code", "Code", str, sort="code", kind="wide")]},
    ):
        with pytest.raises(ValueError, match="places:"):
            listing(**wrong)


def opened(answer):
    """The sheets of a file, row by row."""
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.content))
    return [book.get_sheet_by_name(name).to_python() for name in book.sheet_names]


RISKY = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =HYPERLINK(A1)", "＝1+1", "＋1", "－1", "＠a"]


def test_a_file_holds_what_the_page_shows_and_no_formula(ask, monkeypatch):
    """A name that begins with = would run as a formula on the desk of whoever opens the file."""
    moment = datetime(2026, 11, 22, 1, 2, 3, tzinfo=ZoneInfo("UTC"))
    columns = [
        Column("code", "=Code", lambda row: row.code, sort="code", kind="number"),
        Column("risky", "Risky", lambda row: RISKY[int(row.code[-1], 36) % len(RISKY)]),
        Column("money", "Money", lambda row: 123456, kind="money"),
        Column("at", "At", lambda row: moment),
        Column("from", "From", lambda row: row.valid_from),
        Column("stamp", "Stamp", lambda row: Stamp(row.kind)),
        Column("markup", "Markup", lambda row: mark_safe("<b>=bold</b>")),
        Column("none", "None", lambda row: None),
        Column("other", "Other", lambda row: "masked", export=lambda row: "460 •••• 1234"),
    ]
    answer = show_list(ask("export=xlsx&kind=city&sort=-code"), listing(columns=columns))
    assert re.fullmatch(r'attachment; filename="sheka-places-\d{8}-\d{4}\.xlsx"', answer["Content-Disposition"])
    rows, about = opened(answer)
    assert rows[0][:2] == ["'=Code", "Risky"]
    assert [row[0] for row in rows[1:]] == ["460200", "460100"]
    assert rows[1][2:] == [
        1234.56,
        datetime(2026, 11, 22, 9, 2, 3),  # noqa: DTZ001 - a sheet knows no zone, its format shows it
        date(2026, 1, 1),
        "city",
        "'=bold",
        "",
        "460 •••• 1234",
    ]
    assert rows[1][1] == guarded(RISKY[0])
    facts = {row[0]: row[1] for row in about}
    assert facts["Kind"] == "City"
    assert any(str(value).endswith("+08:00 (Asia/Shanghai)") for value in facts.values())
    event = Event.objects.order_by("-sequence").first()
    assert (event.event, event.subject) == ("list.exported", "list:places")
    assert '"rows":2' in event.facts
    assert '"Kind":"City"' in event.facts


@pytest.mark.parametrize("text", RISKY)
def test_the_guard_stands_before_every_sign_of_a_formula(text):
    assert guarded(text) == "'" + text
    assert filed(Stamp(text), "text") == "'" + text
    assert filed(mark_safe(text), "text") == "'" + text


def test_what_a_page_marks_and_escapes_is_plain_text_in_a_file():
    assert filed(mark_safe('安全事件 <span lang="en">A &amp; B</span>'), "text") == "安全事件 A & B"


@given(st.text(max_size=60))
def test_nothing_leaves_that_a_programme_takes_for_a_formula(text):
    left = guarded(text)
    assert left[:1] not in set("=+-@\t\r\n＝＋－＠")
    assert left.lstrip()[:1] not in set("=+-@＝＋－＠")
    assert left.removeprefix("'") == text.removeprefix("'")


def test_the_look_for_formulas_sees_one(ask, monkeypatch):
    """Without the guard the file would hold the text as it is: the test above is not vacuous."""
    monkeypatch.setattr("sheka.faces.console.list_cells._RISKY", ("never",))
    columns = [Column("code", "Code", lambda row: "=1+1", sort="code")]
    rows, _ = opened(show_list(ask("export=xlsx"), listing(columns=columns)))
    assert rows[1] == ["=1+1"]


def test_who_may_not_export_gets_the_page_and_no_link(ask):
    clerk = acting("460100-01", Permission.CARD_VIEW)
    answer = show_list(ask("export=xlsx", clerk), listing())
    assert answer["Content-Type"].startswith("text/html")
    assert "Excel" not in answer.content.decode()
    assert not Event.objects.filter(event="list.exported").exists()
    with pytest.raises(Refused) as caught:
        list_files.make_file(clerk, listing(), {}, 10)
    assert caught.value.code is Code.PERMISSION_MISSING
    assert show_list(ask("export=xlsx"), listing(export=False))["Content-Type"].startswith("text/html")


def test_a_file_too_long_is_refused_before_it_is_written(ask, monkeypatch):
    monkeypatch.setattr(list_files, "AT_ONCE", 4)
    monkeypatch.setattr(list_files, "LISTINGS", {})
    found = listing()
    list_files.LISTINGS.clear()
    with pytest.raises(Refused) as caught:
        show_list(ask("export=xlsx"), found)
    assert caught.value.code is Code.LIST_TOO_LONG
    monkeypatch.setattr(list_files, "BATCH", 2)
    assert len(opened(show_list(ask("export=xlsx&name=海口"), found))[0]) == 2


def test_a_long_list_becomes_a_file_in_the_background_for_who_ordered_it_alone(ask, monkeypatch):
    monkeypatch.setattr(list_files, "AT_ONCE", 4)
    found = listing(name="long-places")
    page = show_list(ask("export=xlsx&sort=-code"), found).content.decode()
    signed = re.search(r'name="order" value="([^"]+)"', page)[1]
    order = signing.loads(signed, salt=list_files.ORDER)
    assert order == {"listing": "long-places", "values": {"export": "xlsx", "sort": "-code"}, "staff": 7}
    told = []
    arguments = {"listing": order["listing"], "values": order["values"], "tongue": "en"}
    result = list_jobs.export(ask().actor, lambda *said: told.append(said[0]), **arguments)
    assert told == [5]
    rows, _ = opened(list_files.download(base64.b64decode(result["file"]), result["name"]))
    assert [row[0] for row in rows[1:]] == ["460200", "460100-CC", "460100-01", "460100", "460000"]
    assert Event.objects.order_by("-sequence").first().event == "list.exported"
    for wrong in ("", signed[:-2] + "xx", signing.dumps(order | {"staff": 8}, salt=list_files.ORDER)):
        request = RequestFactory().post("/lists/export", {"order": wrong})
        request.actor = ask().actor
        with pytest.raises(Refused) as caught:
            list_jobs.order(request)
        assert caught.value.code is Code.LIST_UNKNOWN
    with pytest.raises(Refused):
        list_jobs.export(ask().actor, print, listing="nothing", values={}, tongue="en")


def test_rows_are_completed_a_page_at_a_time(ask, monkeypatch):
    seen = []
    monkeypatch.setattr(list_files, "BATCH", 2)
    gathered = listing(gather=lambda rows, actor: seen.append(len(rows)))
    read_list(ask(), gathered)
    show_list(ask("export=xlsx"), gathered)
    assert seen == [5, 2, 2, 1]


def test_reading_a_list_of_people_is_recorded(ask):
    with transaction.atomic():
        read_list(ask("kind=city"), listing(personal=True))
    event = Event.objects.order_by("-sequence").first()
    assert (event.event, event.subject) == ("list.read", "list:places")
    before = Event.objects.count()
    read_list(ask(), listing())
    assert Event.objects.count() == before
