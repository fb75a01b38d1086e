"""Papers on the console: the receipt is made, saved and verified by a stranger; a void one says so."""

from __future__ import annotations

import io
import re

import pytest
import typst
import zxingcpp
from django.test import Client
from PIL import Image
from playwright.sync_api import expect
from pypdf import PdfReader
from tests.support.pages import axe, foreign

from sheka.foundation.crypto.sm3 import sm3
from sheka.office.documents.verifying import MOST

CLERK, SUPERVISOR = "longhua-clerk", "haikou-supervisor"


@pytest.fixture(scope="module")
def receipt(surfer, cards):
    """The address of a receipt of the console's town, and its bytes."""
    page = surfer.signed_in(CLERK, "en")
    page.goto(f"/cards/{cards['paid']['number']}")
    page.get_by_role("button", name="Make the receipt").click()
    expect(page.locator("h1")).to_have_text("Exchange receipt")
    address = page.url
    page.fill("#text", "for the applicant")
    with page.expect_download() as saved:
        page.locator("button[value=file]").click()
    content = saved.value.path().read_bytes()
    surfer.rest()
    return address, content


@pytest.mark.req("R1")
def test_the_receipt_on_paper_is_the_exchange_on_the_screen(receipt, cards):
    _address, content = receipt
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
    assert cards["paid"]["number"] in text and cards["paid"]["name"] in text
    assert cards["paid"]["person"] not in text, "the number of the person is masked"
    assert "http://127.0.0.1" in text and "换卡回执" in text


def test_asked_for_again_it_is_the_same_paper(surf, receipt, cards):
    page = surf.signed_in(CLERK, "en")
    page.goto(f"/cards/{cards['paid']['number']}?tab=documents")
    page.get_by_role("button", name="Make the receipt").click()
    assert page.url == receipt[0]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_stranger_who_holds_the_paper_verifies_it(surf, receipt, cards, language):
    _address, content = receipt
    page = surf.stranger(language)
    page.goto(_verify(content))
    expect(page.locator("[data-digest]")).to_have_text(sm3(content).hex())
    expect(page.locator(".verdict")).to_contain_text("有效" if language == "zh" else "Valid")
    text = page.locator("main").inner_text()
    assert cards["paid"]["name"] not in text and cards["paid"]["number"] not in text
    assert cards["paid"]["name"][0] in text
    assert axe(page) == [] and list(foreign(page, language)) == []
    page.set_input_files("#paper-file", [{"name": "a.pdf", "mimeType": "application/pdf", "buffer": content}])
    expect(page.locator("[data-answer]")).to_have_text(re.compile("完全一致|The same file"))
    page.set_input_files("#paper-file", [{"name": "a.pdf", "mimeType": "application/pdf", "buffer": content + b" "}])
    expect(page.locator("[data-answer]")).to_have_text(re.compile("不一致|Another file"))


def _verify(content):
    """The path in the QR code of a paper."""
    source = b'#set page(margin: 0pt, width: auto, height: auto)\n#image(bytes(sys.inputs.at("f").split(",").map(int)))'
    picture = typst.compile(source, format="png", ppi=150, sys_inputs={"f": ",".join(map(str, content))})
    (found,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)))
    return found.text[found.text.index("/verify/") :]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_code_that_is_not_known_gets_the_same_page(surf, receipt, language):
    page = surf.stranger(language)
    known = page.goto(_verify(receipt[1]))
    rows = page.locator("dl.rows dt").all_inner_texts()
    answer = page.goto("/verify/AAAAA-BBBBB-CCCCC-DDDDD")
    assert answer.status == known.status == 200
    assert page.locator("dl.rows dt").all_inner_texts() == [*rows[:5], rows[-1]]
    expect(page.locator(".verdict")).to_contain_text("查无此码" if language == "zh" else "Not known")
    assert axe(page) == [] and list(foreign(page, language)) == []
    assert answer.headers["referrer-policy"] == "same-origin", "the address holds the code"
    page.get_by_role("button", name=re.compile("^(Verify|核验)$")).click()
    expect(page.locator(".govuk-error-summary")).to_be_visible()
    page.fill("#code", "aaaaa bbbbb")
    page.get_by_role("button", name=re.compile("^(Verify|核验)$")).click()
    expect(page).to_have_url(re.compile("/verify/aaaaa"))


@pytest.mark.django_db
def test_asking_too_often_is_told_with_its_number(settings):
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.SECURE_SSL_REDIRECT = False
    client = Client(REMOTE_ADDR="192.0.2.44")
    for _ in range(MOST):
        assert client.get("/verify/AAAAABBBBBCCCCCDDDDD").status_code == 200
    answer = client.get("/verify/AAAAABBBBBCCCCCDDDDD")
    assert answer.status_code == 429 and "3450" in answer.content.decode()
    assert client.get("/verify").status_code == 200


def test_a_paper_that_was_voided_says_so_to_whoever_holds_it(surf, receipt):
    address, content = receipt
    page = surf.signed_in(SUPERVISOR, "en")
    page.goto(address)
    page.get_by_role("link", name="Void the paper").click()
    assert axe(page) == []
    page.get_by_role("button", name="Void the paper").click()
    expect(page.locator(".govuk-error-summary")).to_contain_text("Write a line first")
    page.fill("#text", "printed with a wrong name")
    page.get_by_role("button", name="Void the paper").click()
    expect(page.locator(".states")).to_have_text("Void")
    clerk = surf.signed_in(CLERK, "en")
    clerk.goto(address)
    expect(clerk.get_by_role("link", name="Void the paper")).to_have_count(0)
    assert clerk.goto(f"{address}/void").status == 403
    stranger = surf.stranger("en")
    stranger.goto(_verify(content))
    expect(stranger.locator(".verdict")).to_contain_text("it is void")
    assert "wrong name" not in stranger.content()


def test_the_digest_that_the_browser_works_out_is_sm3(surf):
    page = surf.stranger("en")
    page.goto("/verify")
    hashed = "async text => (await import('/static/console/documents/sm3.js')).sm3(new TextEncoder().encode(text))"
    for length in (0, 1, 3, 55, 56, 63, 64, 65, 119, 120, 1000, 70_001):
        text = ("abc" * length)[:length]
        assert page.evaluate(hashed, text) == sm3(text.encode()).hex(), length


@pytest.mark.django_db
def test_a_request_that_is_too_large_is_refused_before_it_is_read_on(settings, monkeypatch):
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.SECURE_SSL_REDIRECT = False
    monkeypatch.setattr("sheka.faces.console.documents.uploads.LARGEST_REQUEST", 2**20)
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.get("/verify")
    answer = client.post("/verify", {"files": io.BytesIO(bytes(2 * 2**20))})
    assert answer.status_code == 400
