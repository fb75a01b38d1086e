"""Papers: same facts, same bytes; every character is there or said; the QR code leads to the verify page."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import date

import pytest
import zxingcpp
from django.db import DatabaseError, transaction
from PIL import Image
from pypdf import PdfReader

from sheka.foundation.crypto.sm3 import sm3
from sheka.foundation.refusals import Code
from sheka.office.audit.models import Event
from sheka.office.documents.actions.view_document import view_document
from sheka.office.documents.models import Document, Paper, Question
from sheka.office.documents.papers import fonts
from sheka.office.documents.papers.making import ALPHABET, make_paper, verify_address, void_paper
from sheka.office.documents.papers.printing import Draft, printed
from sheka.office.documents.papers.templates import FOLDER, template_named
from sheka.office.documents.verifying import MOST, verify_code
from sheka.office.organisations.models import Organisation
from sheka.office.scope import acting_in

CODE = "7K3QX9M2PDHV4TZW8RNC"
RECEIPT = {
    "holder": "欧阳海棠",
    "person_number": "460***********9803",
    "old_card": "D2143569X",
    "ground": ["损坏", "Damaged"],
    "applied_on": "2026-11-20",
    "outlet": ["龙华网点", "Longhua outlet"],
    "clerk": "王敏",
    "proxy": "",
    "due_on": "2026-12-01",
    "due_provisional": True,
    "strip": [{"day": f"2026-11-{day}", "working": day not in (21, 22, 28, 29)} for day in range(21, 31)]
    + [{"day": "2026-12-01", "working": True}],
    "fee_fen": 1605,
    "fee_paid": False,
    "fee_rule": ["非质量原因", "Not a quality defect"],
    "received_on": "2025-03-03",
    "last_free_day": "2026-03-03",
    "bring": [["持卡人身份证（原件）", "the holder's ID card (original)"]],
    "proof_number": "T46010020261120000002",
    "proof_to": "2026-12-31",
}
DESTRUCTION = {
    "method": ["粉碎", "Shredding"],
    "creator": "甲",
    "created_at": "2026-11-20 09:12",
    "closed_by": "甲",
    "closed_at": "2026-11-20 10:12",
    "cards": [f"D{serial:07d}X" for serial in range(400)],
    "witnesses": [["乙", "2026-11-20 10:00"], ["丙", "2026-11-20 10:01"]],
    "list_digest": "ab" * 32,
    "record_digest": "cd" * 32,
}
MINUTES = {
    "matter": ["申请发卡", "Application to issue"],
    "outcome": ["同意", "Approved"],
    "author": "甲",
    "made_at": "2026-11-20 09:12",
    "digest": "ab" * 32,
    "payload": [["数量", "Quantity", "100000"]],
    "decisions": [
        {
            "verdict": ["同意", "Approved"],
            "by": "乙",
            "place": ["海南省", "Hainan"],
            "at": "2026-11-21",
            "reason": "齐全",
        }
    ],
}
SLIP = {
    "name": "李娜",
    "login": "longhua-clerk",
    "place": ["海口市", "Haikou"],
    "factor": ["动态口令", "One-time codes"],
    "enrolled_at": "2026-11-20 09:12",
    "enrolled_by": "甲",
}
FACTS = {
    "exchange_receipt": RECEIPT,
    "destruction_record": DESTRUCTION,
    "approval_minutes": MINUTES,
    "enrolment_slip": SLIP,
}
SUBJECT = "exchange:H46010020261122000001"


def draft(name, /, **changes):
    place = Organisation(code="460100", name="海口市社会保障卡管理中心", name_en="Haikou card centre")
    number = "H46010020261122000001"
    return Draft(template_named(name), number, place, FACTS[name] | changes, CODE, verify_address(), date(2026, 11, 22))


def words(content):
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content), strict=True).pages)


@pytest.mark.parametrize("name", FACTS)
def test_the_same_facts_give_the_same_bytes_and_other_facts_others(name):
    first = printed(draft(name))
    assert first == printed(draft(name)) and first.startswith(b"%PDF-1.7")
    other = next(key for key, value in FACTS[name].items() if isinstance(value, str))
    assert printed(draft(name, **{other: "另一个"})) != first
    assert b"pdfaid" in first, "the archive profile PDF/A"


@pytest.mark.req("K4")
@pytest.mark.parametrize("name", FACTS)
def test_every_page_of_a_paper_from_a_demonstration_says_so(name):
    """A receipt of the demonstration must never pass for one that counts."""
    content = printed(replace(draft(name), demo=True))
    for page in PdfReader(io.BytesIO(content), strict=True).pages:
        text = page.extract_text()
        assert "演示 DEMO" in text and "不具任何效力" in text
    assert "DEMO" not in words(printed(draft(name)))


@pytest.mark.req("R2")
@pytest.mark.req("R5")
def test_a_receipt_says_everything_in_both_languages_and_on_one_page():
    content = printed(draft("exchange_receipt", proxy="欧阳建国（父亲）"))
    text = words(content)
    assert len(PdfReader(io.BytesIO(content)).pages) == 1
    for word in ("换卡回执", "Exchange receipt", "欧阳海棠", "460***********9803", "H46010020261122000001", "¥16.05"):
        assert word in text
    for word in ("暂定日期", "Provisional", "Not a quality defect", "欧阳建国（父亲）", "第 7 个工作日", "7K3QX-9M2PD"):
        assert word in text
    assert "2026 年 12 月 1 日" in text and "1 December 2026" in text
    free = words(printed(draft("exchange_receipt", fee_fen=0, due_provisional=False)))
    assert "免费" in free and "暂定日期" not in free


@pytest.mark.req("R4")
def test_a_record_of_destruction_names_every_card_and_both_witnesses():
    content = printed(draft("destruction_record"))
    text = words(content)
    assert all(card in text for card in DESTRUCTION["cards"]) and "乙" in text and "丙" in text
    assert len(PdfReader(io.BytesIO(content)).pages) > 1 and "ab" * 32 in text.replace("\n", "")


def test_the_qr_code_on_the_paper_leads_to_the_verify_page_and_tells_nothing_else():
    picture = Image.open(io.BytesIO(printed(draft("exchange_receipt"), form="png")))
    (found,) = zxingcpp.read_barcodes(picture)
    assert found.text == f"{verify_address()}/7K3QX-9M2PD-HV4TZ-W8RNC"
    assert verify_address().startswith("http://127.0.0.1:") and verify_address().endswith("/verify")


def test_facts_are_never_read_as_markup():
    text = words(printed(draft("enrolment_slip", name='#read("/etc/passwd") *x* $y$ `z` \\ <b>')))
    assert '#read("/etc/passwd") *x* $y$ `z` \\ <b>' in text


@pytest.mark.parametrize("name", ["䶮", "𠮷野", "王𪚥", "龘", "㛃", "·"])
def test_a_rare_character_is_printed_or_said_but_never_dropped(name):
    text = words(printed(draft("enrolment_slip", name=name)))
    for letter in name:
        assert (letter in text) != (f"〔U+{ord(letter):04X}〕" in text), letter
        assert (ord(letter) in fonts.covered()) == (letter in text)
    if any(ord(letter) not in fonts.covered() for letter in name):
        assert "字库中没有这个字" in text


def test_the_font_has_what_names_are_written_with():
    known = fonts.covered()
    gbk = {code for code in range(0x4E00, 0x9FA6) if chr(code).encode("gbk", "ignore")}
    assert len(gbk) == 20_902 and gbk <= known


def test_a_node_can_bring_a_larger_font(node):
    folder = node.folder / "fonts"
    folder.mkdir()
    (folder / "own.ttf").write_bytes((FOLDER / "fonts" / "NotoSansSC_700Bold.ttf").read_bytes())
    (folder / "notes.txt").write_text("no font")
    assert fonts.folders() == [fonts.OURS, folder] and ord("社") in fonts.covered()


def test_without_fonts_no_paper_is_made(monkeypatch, refused, tmp_path):
    monkeypatch.setattr(fonts, "REGULAR", tmp_path / "none.ttf")
    refused(Code.PAPER_FONTS, printed, draft("enrolment_slip"))


@pytest.mark.django_db
def test_a_paper_is_made_once_kept_and_verified_by_whoever_holds_it(clerk):
    made = make_paper(clerk, template="exchange_receipt", subject=SUBJECT, facts=RECEIPT)
    assert make_paper(clerk, template="exchange_receipt", subject=SUBJECT, facts=dict(RECEIPT)).pk == made.pk
    content = view_document(clerk, made.pk, "打印给申请人").content
    paper = Paper.objects.get(document=made)
    assert "换卡回执" in words(content) and paper.spaced_code in words(content)
    assert set(paper.code) <= set(ALPHABET) and made.kind == "exchange_receipt" and made.pages == 1
    with acting_in():  # a stranger has no scope
        found = verify_code(f" {paper.spaced_code.lower()} ", "192.0.2.1")
    assert found.valid and found.digest == sm3(content).hex() and found.number == "H46010020261122000001"
    shown = str(found.shown)
    assert "欧**棠" in shown and "D*****69X" in shown and "16.05元" in shown and "2026年12月1日" in shown
    assert "欧阳海棠" not in shown and "D2143569X" not in shown and "9803" not in shown
    assert list(Event.objects.filter(event__startswith="paper.").values_list("event", flat=True)) == [
        "paper.made",
        "paper.found",
    ]


@pytest.mark.django_db
def test_other_facts_make_another_paper_and_void_the_first(clerk):
    first = make_paper(clerk, template="exchange_receipt", subject=SUBJECT, facts=RECEIPT)
    second = make_paper(clerk, template="exchange_receipt", subject=SUBJECT, facts=RECEIPT | {"fee_paid": True})
    codes = {paper.document_id: paper.code for paper in Paper.objects.all()}
    assert not verify_code(codes[first.pk], "a").valid and verify_code(codes[second.pk], "a").valid
    assert Paper.objects.get(document=first).void_reason.startswith("replaced by")


@pytest.mark.django_db
def test_a_paper_is_voided_once_by_whoever_may_for_a_reason(clerk, supervisor, stranger, refused):
    made = make_paper(clerk, template="exchange_receipt", subject=SUBJECT, facts=RECEIPT)
    refused(Code.PERMISSION_MISSING, void_paper, clerk, document=made.pk, reason="误制")
    refused(Code.PAPER_UNKNOWN, void_paper, stranger, document=made.pk, reason="误制")
    refused(Code.PAPER_REASON, void_paper, supervisor, document=made.pk, reason=" ")
    code = void_paper(supervisor, document=made.pk, reason="误制").code
    refused(Code.STATE_FORBIDS, void_paper, supervisor, document=made.pk, reason="误制")
    found = verify_code(code, "a")
    assert not found.valid and found.voided_at and "误制" not in str(found)
    with pytest.raises(DatabaseError), transaction.atomic():
        Paper.objects.filter(pk=Paper.objects.get().pk).update(state="valid")


@pytest.mark.django_db
@pytest.mark.parametrize("code", ["", "x", "7K3QX9M2PDHV4TZW8RNC", "'; DROP TABLE", "0" * 500, "社" * 20, "../../x"])
def test_a_code_that_is_none_is_not_known(code):
    assert verify_code(code, "192.0.2.7") is None


@pytest.mark.django_db
def test_letters_that_look_like_digits_are_read_as_digits(clerk, monkeypatch):
    monkeypatch.setattr("sheka.office.documents.papers.making.ALPHABET", "01")
    make_paper(clerk, template="exchange_receipt", subject=SUBJECT, facts=RECEIPT)
    code = Paper.objects.get().code
    assert verify_code(code.replace("0", "o").replace("1", "I"), "a") is not None


@pytest.mark.django_db
def test_asking_too_often_is_refused_and_no_address_is_kept(refused):
    for _ in range(MOST):
        assert verify_code(CODE, "192.0.2.9") is None
    refused(Code.VERIFY_TOO_OFTEN, verify_code, CODE, "192.0.2.9")
    assert verify_code(CODE, "192.0.2.10") is None
    assert not any("192.0.2" in row.asker for row in Question.objects.all())


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    [{"holder": None}, {"due_on": "1 December"}, {"fee_fen": -1}, {"fee_fen": True}, {"ground": ["x"]}, {"more": 1}],
)
def test_a_paper_with_wrong_facts_is_not_made(clerk, refused, change):
    error = refused(
        Code.PAPER_FACTS, make_paper, clerk, template="exchange_receipt", subject=SUBJECT, facts=RECEIPT | change
    )
    assert next(iter(change)) in error.text("en") and Document.objects.count() == 0
    refused(Code.PAPER_TEMPLATE, make_paper, clerk, template="frame", subject=SUBJECT, facts={})


@pytest.mark.django_db
def test_a_template_that_breaks_makes_no_paper(clerk, refused, monkeypatch):
    monkeypatch.setattr(fonts, "_PLAIN", re.compile(r"(?s).*"))  # a glyph that is missing gets through
    facts = RECEIPT | {"holder": "𪚥"}
    refused(Code.PAPER_NOT_MADE, make_paper, clerk, template="exchange_receipt", subject=SUBJECT, facts=facts)
    assert Document.objects.count() == Paper.objects.count() == 0


def test_every_template_declares_what_it_prints_and_shows_no_number_of_a_person():
    for path in FOLDER.glob("*.typ"):
        if path.stem == "frame":
            continue
        template = template_named(path.stem)
        source = path.read_text("utf-8")
        assert all(f"facts.{fact}" in source for fact in template.facts), path.stem
        assert {row["fact"] for row in template.shown} <= set(template.facts)
        assert not any("person_number" in row["fact"] for row in template.shown)
