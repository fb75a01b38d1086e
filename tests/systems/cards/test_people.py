"""People from a file and changes of their data: bad rows told by line and reason, good rows kept (S3, R8)."""

from __future__ import annotations

import io
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sheka.foundation.numbers import assigned_number, social_security_number
from sheka.foundation.people import synthetic_people
from sheka.foundation.refusals import Code, Refused
from sheka.office.audit.models import Event
from sheka.systems.cards.actions.change_personal_data import change_personal_data
from sheka.systems.cards.actions.import_people import import_people, line_refusal
from sheka.systems.cards.models import ImportBatch, Person
from sheka.systems.cards.people_file import decode, rows_of

HEADER = "社会保障号码,姓名,性别,出生日期,民族,电话,地址"
NUMBER = social_security_number("460105", date(1990, 1, 31), 901).text
OTHER = social_security_number("460106", date(1991, 2, 28), 902).text
THIRD = social_security_number("460107", date(1992, 3, 1), 903).text
GOOD = f"{NUMBER},张三,男,19900131,汉族,10900001234,示例路1号"


def file_of(*rows, header=HEADER, encoding="utf-8", newline="\n"):
    return newline.join((header, *rows)).encode(encoding)


@pytest.fixture
def take(staff):
    return lambda data, name="people.csv": import_people(staff["planner"], file=data, file_name=name)


def reasons(batch):
    return [(row.line, row.outcome, Code(row.code).name) for row in batch.lines.all()]


@pytest.mark.req("S3")
def test_good_rows_are_kept_and_every_bad_one_is_told_by_line_and_reason(take):
    rows = [
        GOOD,
        f"{NUMBER[:-1]}0,李四,男,19900131,汉族,,",
        f"{OTHER},,女,19910228,汉族,,",
        f"{OTHER},王?五,女,19910228,汉族,,",
        f"{OTHER},王五,男,19910228,汉族,,",
        f"{OTHER},王五,女,19910229,汉族,,",
        f"{OTHER},王五,女,19910301,汉族,,",
        f"{OTHER},王五,女,19910228,火星族,,",
        f"{OTHER},王五,女,19910228,汉族,手机,",
        f"{OTHER},王五,女,19910228,汉族,,{'长' * 201}",
        f"{OTHER},王五,女,19910228,汉族",
        f'{OTHER},"王五,女,19910228,汉族,,',
        f"{OTHER[:15]},王五,女,19910228,汉族,,",
        "",
        f"{OTHER},王五,女,1991-02-28,01,,",
        f"{OTHER},王五,女,1991-02-28,01,,",
    ]
    batch = take(file_of(*rows))
    assert reasons(batch) == [
        (3, "refused", "NUMBER_CHECK"),
        (4, "refused", "NAME_EMPTY"),
        (5, "refused", "NAME_CHARACTER"),
        (6, "refused", "PERSON_SEX_DIFFERS"),
        (7, "refused", "PERSON_BIRTH"),
        (8, "refused", "PERSON_BIRTH_DIFFERS"),
        (9, "refused", "PERSON_ETHNIC_GROUP"),
        (10, "refused", "PERSON_PHONE"),
        (11, "refused", "PERSON_FIELD_TOO_LONG"),
        (12, "refused", "PERSON_COLUMNS"),
        (13, "refused", "PERSON_QUOTES"),
        (14, "refused", "NUMBER_FIFTEEN_DIGITS"),
        (17, "refused", "PERSON_TWICE_IN_FILE"),
    ]
    assert (batch.rows, batch.added, batch.refused, batch.already_there) == (15, 2, 13, 0)
    assert set(Person.objects.values_list("name", flat=True)) == {"张三", "王五"}
    for line in batch.lines.all():
        refusal = line_refusal(line)
        assert "?" not in refusal.text("en").replace("王?五", "") and "{" not in refusal.text("zh") + refusal.todo("zh")
        assert NUMBER not in str(line.facts)


def test_one_audit_row_for_the_file_and_no_person_number_in_it(take):
    before = Event.objects.count()
    batch = take(file_of(GOOD))
    row = Event.objects.order_by("-sequence").first()
    assert Event.objects.count() == before + 1 + 1  # the planner is appointed when first asked for
    assert row.event == "person.imported" and NUMBER not in row.facts and batch.file_digest in row.facts


def test_who_is_there_already_is_told_and_never_changed(take, staff, places):
    take(file_of(GOOD))
    again = take(file_of(GOOD, f"{NUMBER},张三丰,男,19900131,汉族,,"))
    assert reasons(again) == [(2, "already_there", "PERSON_ALREADY_THERE"), (3, "refused", "PERSON_TWICE_IN_FILE")]
    silent = take(file_of(f"{NUMBER},张三,男,19900131,汉族,,"))
    assert reasons(silent) == [(2, "already_there", "PERSON_ALREADY_THERE")]
    changed = take(file_of(f"{NUMBER},张三丰,男,19900131,汉族,10900001234,示例路1号"))
    assert reasons(changed) == [(2, "refused", "PERSON_DIFFERS")]
    assert "name" in line_refusal(changed.lines.get()).text("en")
    assert Person.objects.get().name == "张三"
    Person.objects.update(organisation=places["460200"])
    assert reasons(take(file_of(GOOD))) == [(2, "refused", "PERSON_ELSEWHERE")]


def test_a_bad_first_row_does_not_hide_a_good_second_one(take):
    batch = take(file_of(f"{NUMBER},,男,19900131,汉族,,", GOOD))
    assert (batch.added, batch.refused) == (1, 1)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_rare_characters_survive_every_encoding(take, encoding, newline):
    names = ["王䶮", "𣲘𬍛", "买买提艾力·吐尔逊", "Müller Ann-Marie"]
    numbers = [social_security_number("460105", date(1990, 1, 31), place).text for place in (901, 903, 905, 907)]
    rows = [f"{number},{name},1,19900131,01,," for number, name in zip(numbers, names, strict=True)]
    batch = take(file_of(*rows, encoding=encoding, newline=newline))
    assert (batch.added, batch.encoding) == (4, "gb18030" if encoding == "gb18030" else "utf-8")
    assert list(Person.objects.order_by("pk").values_list("name", flat=True)) == names


def test_columns_in_any_order_in_either_language_with_any_usual_separator(take):
    batch = take(
        f"name;ethnic_group;birth;sex;Social_Security_Number;remark\n张三;1;1990/01/31;male;{NUMBER};x".encode()
    )
    person = Person.objects.get()
    assert (batch.added, person.ethnic_group, person.birthplace, person.sex) == (1, "01", "460105", 1)


def test_sex_and_birth_come_from_the_number_unless_a_foreigner_s(take):
    foreign = assigned_number("DEU", "C01X00T47").text
    batch = take(
        file_of(f"{NUMBER},张三,,,01,,", f"{foreign},Anna Muster,,,99,,", f"{foreign},Anna Muster,2,19800101,99,,")
    )
    assert reasons(batch) == [(3, "refused", "PERSON_SEX_UNKNOWN"), (4, "doubt", "NUMBER_WITHOUT_CHECK")]
    assert (batch.added, batch.refused) == (2, 1)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", Code.PERSON_FILE_EMPTY),
        (HEADER.encode(), Code.PERSON_FILE_EMPTY),
        (b"\xff\xfe" + "x".encode("utf-16-le"), Code.PERSON_FILE_ENCODING),
        (b"PK\x03\x04\x00\x00", Code.PERSON_FILE_ENCODING),
        (b"\xff\xff\xff\xff\n\xff", Code.PERSON_FILE_ENCODING),
        ("姓名,性别\n张三,男".encode(), Code.PERSON_FILE_HEADER),
    ],
)
def test_a_file_that_is_no_list_of_people_is_refused_whole(take, refused, data, code):
    refused(code, lambda: take(data))
    assert ImportBatch.objects.count() == 0


def test_a_file_beyond_the_bounds_is_refused_without_being_read_further(take, refused, tmp_path, monkeypatch):
    policy = '[[people_file]]\nvalid_from = 2021-01-01\nmax_bytes = 400\nmax_rows = 2\nsource = "test"\n'
    (tmp_path / "cards.toml").write_text(policy)
    rows = [GOOD] * 3
    staff = take.__closure__[0].cell_contents
    planner = staff["planner"]
    monkeypatch.setenv("SHEKA_POLICY", str(tmp_path))
    file = io.BytesIO(file_of(*rows, "x" * 10_000))
    refused(Code.PERSON_FILE_TOO_LARGE, lambda: import_people(planner, file=file))
    assert file.tell() == 401
    refused(Code.PERSON_FILE_ROWS, lambda: import_people(planner, file=file_of(*["a,b,c,d,e,f,g"] * 3)))


def test_only_a_planner_of_the_city_imports(staff, refused):
    for who in ("clerk", "producer", "supervisor"):
        refused(Code.PERMISSION_MISSING, lambda who=who: import_people(staff[who], file=file_of(GOOD)))
    refused(
        Code.ORGANISATION_OUT_OF_REACH,
        lambda: import_people(staff["planner"], file=file_of(GOOD), organisation_code="460200"),
    )


@pytest.mark.req("S3")
def test_two_hundred_invented_people_come_in_with_one_row_each(take):
    people = synthetic_people(200, "460100", "import")
    rows = [
        f"{one.social_security_number},{one.name},{int(one.sex)},{one.birth.isoformat()},{one.ethnic_group},{one.phone},{one.address}"
        for one in people
    ]
    batch = take(file_of(*rows))
    assert (batch.added, batch.refused) == (200, 0)
    assert {person.name for person in Person.objects.all()} == {one.name for one in people}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=300), st.sampled_from(["utf-8", "gb18030"]))
def test_whatever_stands_in_a_file_becomes_rows_or_a_numbered_refusal(text, encoding):
    data = (HEADER + "\n" + text).encode(encoding, "ignore")
    try:
        decoded = decode(data)
        rows = list(rows_of(decoded.text, on=date(2026, 5, 1), limit=1000))
    except Refused as refusal:
        assert refusal.code.name.startswith("PERSON_FILE_")
        return
    assert all((row.data is None) != (row.refusal is None) for row in rows)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_crash_the_reading_of_a_file(data):
    try:
        decode(data)
    except Refused as refusal:
        assert refusal.code is Code.PERSON_FILE_ENCODING


@pytest.mark.req("R8")
def test_a_change_has_a_form_with_its_number_and_says_whether_the_card_is_touched(staff, people):
    person = people[0]
    change = lambda **changes: change_personal_data(  # noqa: E731
        staff["data_clerk"], person=person, changes=changes, evidence="户口变更证明 1 号"
    )
    first = change(phone="10900009999")
    second = change(name="欧阳䶮", ethnic_group="黎族")
    assert (first.on_card, second.on_card) == (False, True)
    assert first.number != second.number
    assert second.changes["name"][1] == "欧阳䶮"
    person.refresh_from_db()
    assert (person.name, person.ethnic_group, person.phone) == ("欧阳䶮", "19", "10900009999")
    told = Event.objects.get(event="person.changed", facts__contains=second.number).facts
    assert "欧阳" not in told and '"name"' in told


@pytest.mark.req("R8")
def test_a_change_is_checked_as_a_row_of_an_import_is(staff, people, refused):
    person, other = people[0], people[1]
    change = lambda changes, evidence="证明", who="data_clerk": change_personal_data(  # noqa: E731
        staff[who], person=person, changes=changes, evidence=evidence
    )
    refused(Code.PERSON_CHANGE_NOTHING, lambda: change({"name": person.name}))
    refused(Code.PERSON_CHANGE_FIELD, lambda: change({"organisation": "460200"}))
    refused(Code.PERSON_CHANGE_EVIDENCE, lambda: change({"name": "新名"}, " "))
    refused(Code.NAME_EMPTY, lambda: change({"name": " "}))
    refused(Code.PERSON_SEX_DIFFERS, lambda: change({"sex": str(3 - person.sex)}))
    taken = {"social_security_number": other.social_security_number, "sex": "", "birth": ""}
    refused(Code.PERSON_NUMBER_TAKEN, lambda: change(taken))
    refused(Code.PERMISSION_MISSING, lambda: change({"name": "新名"}, who="clerk"))
    Person.objects.filter(pk=person.pk).update(organisation="460200")
    refused(Code.ORGANISATION_OUT_OF_REACH, lambda: change({"name": "新名"}))


def test_a_corrected_number_brings_sex_and_birth_with_it(staff, people):
    person = people[0]
    changes = {"social_security_number": THIRD, "sex": "", "birth": ""}
    change = change_personal_data(staff["data_clerk"], person=person, changes=changes, evidence="公安更正证明")
    person.refresh_from_db()
    assert (person.social_security_number, person.birth, person.sex) == (THIRD, date(1992, 3, 1), 1)
    assert change.on_card
