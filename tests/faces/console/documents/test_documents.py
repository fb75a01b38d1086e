"""Documents in Chromium: sent, photographed by keyboard, looked at for a purpose; every page in both languages."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image
from playwright.sync_api import expect
from tests.support.files import pdf, picture
from tests.support.pages import Surfer, axe, foreign, inline

CLERK = "longhua-clerk"
FAKE = "--use-fake-device-for-media-stream"
SCAN = {"name": "身份证 460100199001011234.JPG", "mimeType": "image/jpeg", "buffer": picture()}
SCRIPT = {
    "name": "letter.pdf",
    "mimeType": "application/pdf",
    "buffer": pdf(b"<< /S /JavaScript /JS (x) >>", catalog=b"/OpenAction 10 0 R"),
}


@pytest.fixture
def about(cards):
    """The address of a card's documents, one that has no exchange."""
    return f"/documents/card:{cards['plain']['number']}"


def sent(page, *files, kind="id_card_copy"):
    page.select_option("#kind", kind)
    page.set_input_files("#files", list(files))
    page.get_by_role("button", name=re.compile("Keep|留存")).click()


def looks_right(page, language):
    assert axe(page) == []
    assert list(foreign(page, language)) == []
    assert inline(page.content()) == []


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_is_accessible_in_both_languages(surf, about, language):
    page = surf.signed_in(CLERK, language)
    page.goto(f"{about}/keep")
    sent(page, SCAN, SCRIPT)
    expect(page.locator(".uploads__good")).to_have_count(1)
    expect(page.locator(".uploads__stop")).to_have_count(1)
    page.get_by_role("button", name=re.compile("Use the camera|使用摄像头")).click()
    expect(page.locator("[data-take]")).to_be_focused()
    looks_right(page, language)
    page.goto(about)
    looks_right(page, language)
    page.locator("table a").first.click()
    looks_right(page, language)
    page.locator("#text").fill("核对材料" if language == "zh" else "check")
    page.locator("button[value=sight]").click()
    expect(page.locator(".sight img")).to_be_visible()
    looks_right(page, language)
    page.goto("/documents")
    looks_right(page, language)


@pytest.mark.req("R7")
def test_several_files_are_sent_each_with_its_own_answer(surf, cards):
    page = surf.signed_in(CLERK, "en")
    address = f"/documents/card:{cards['frozen']['number']}"
    page.goto(f"{address}/keep")
    large = {"name": "large.png", "mimeType": "image/png", "buffer": bytes(11 * 2**20)}
    wrong = {"name": "letter.doc", "mimeType": "application/msword", "buffer": b"\xd0\xcf\x11\xe0 a letter"}
    sent(page, SCAN, SCRIPT, large, wrong)
    expect(page.locator(".uploads__stop")).to_have_count(3)
    expect(page.locator(".uploads__good")).to_have_text(re.compile("身份证 ••••.jpg"))
    told = page.locator(".uploads").inner_text()
    assert "no. 3417" in told and "no. 3412" in told and "not sent" in told
    expect(page.locator("[data-said]")).to_have_text("All files have been dealt with")
    assert page.locator("#files").input_value() == ""
    page.goto(address)
    expect(page.locator(".kept tbody tr")).to_have_count(1)
    assert "1990" not in page.content()


def test_without_script_the_same_form_keeps_and_refuses(surf, cards):
    page = surf.signed_in(CLERK, "en", java_script_enabled=False)
    address = f"/documents/card:{cards['lost']['number']}"
    page.goto(f"{address}/keep")
    assert page.locator("[data-camera-part]").is_hidden()
    page.get_by_role("button", name="Keep").click()
    expect(page.locator(".govuk-error-summary")).to_contain_text("Choose a file, or take a picture")
    sent(page, SCAN, SCRIPT)
    expect(page.locator(".uploads__stop")).to_contain_text("an automatic action")
    expect(page.locator(".uploads__good")).to_have_count(1)
    page.goto(f"{address}/keep")
    sent(page, {**SCAN, "buffer": picture("PNG"), "name": "a.png"})
    expect(page).to_have_url(f"{surf.town.address}{address}")
    expect(page.get_by_role("status")).to_contain_text("1 document kept")


@pytest.mark.req("R7")
def test_a_picture_is_taken_by_keyboard_alone_and_kept(surf, cards):
    page = surf.signed_in(CLERK, "en")
    address = f"/documents/card:{cards['blocked']['number']}"
    page.goto(f"{address}/keep")
    page.locator("[data-open]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-take]")).to_be_focused()
    expect(page.locator("[data-said]")).to_have_text("The camera is on")
    page.keyboard.press("Enter")
    expect(page.locator("[data-use]")).to_be_focused()
    expect(page.locator("[data-taken]")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.locator("[data-again]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("[data-live]")).to_be_visible()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.locator(".uploads__good")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator("[data-stage]")).to_be_hidden()
    expect(page.locator("[data-open]")).to_be_focused()
    assert page.evaluate("document.querySelector('[data-live]').srcObject") is None, "the camera is off"
    page.locator(".uploads__good a").click()
    expect(page.locator("main")).to_contain_text("Picture 1.jpg")


@pytest.mark.parametrize(
    ("arguments", "told"), [((FAKE,), "may not use the camera"), ((), "No camera was found")], ids=["denied", "none"]
)
def test_without_leave_or_camera_the_page_says_so_and_takes_a_file(browsers, town, sessions, about, arguments, told):
    surf = Surfer(browsers(*arguments), town, sessions)
    page = surf.signed_in(CLERK, "en")
    page.goto(f"{about}/keep")
    page.locator("[data-open]").click()
    expect(page.locator("[data-why]")).to_contain_text(told)
    expect(page.locator("[data-open]")).to_be_focused()
    expect(page.locator("[data-stage]")).to_be_hidden()
    sent(page, {**SCAN, "buffer": picture("PNG", size=(500 + len(told), 400))})
    expect(page.locator(".uploads__good")).to_have_count(1)
    surf.rest()


def test_only_this_page_may_use_a_camera_and_only_for_kinds_that_offer_it(surf, about, cards):
    page = surf.signed_in(CLERK, "en")
    assert "camera=(self), " in page.goto(f"{about}/keep").headers["permissions-policy"]
    for address in (about, "/documents", "/"):
        assert "camera=(), " in page.goto(address).headers["permissions-policy"]


def test_a_document_is_shown_for_a_purpose_only_and_its_file_can_do_nothing(surf, about):
    page = surf.signed_in(CLERK, "en")
    page.goto(f"{about}/keep")
    sent(page, {**SCAN, "buffer": picture(size=(640, 480))})
    page.locator(".uploads__good a").click()
    address = page.url
    page.locator("button[value=sight]").click()
    expect(page.locator(".govuk-error-summary")).to_contain_text("Write a line first")
    page.fill("#text", "check the application")
    page.locator("button[value=sight]").click()
    expect(page.locator("figcaption")).to_contain_text("check the application")
    page.goto(address)
    page.fill("#text", "give a copy to the court")
    token = page.locator("main [name=csrfmiddlewaretoken]").input_value()
    answer = page.request.post(address, form={"csrfmiddlewaretoken": token, "text": "to the court", "as": "file"})
    assert answer.headers["content-disposition"].startswith("attachment; filename*=UTF-8''")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert "no-store" in answer.headers["cache-control"]
    assert Image.open(io.BytesIO(answer.body())).size == (640, 480)


def test_whoever_has_no_right_or_another_city_finds_nothing(surf, about):
    page = surf.signed_in(CLERK, "en")
    page.goto(f"{about}/keep")
    sent(page, {**SCAN, "buffer": picture(size=(320, 240))})
    page.locator(".uploads__good a").click()
    address = page.url
    nobody = surf.signed_in("no-role", "en")
    for place in (address, about, f"{about}/keep", "/documents"):
        assert nobody.goto(place).status == 403
    other = surf.signed_in("sanya-desk", "en")
    assert other.goto(address).status == 404
    assert other.goto(about).status == 404
    other.goto("/documents")
    expect(other.locator("main")).to_contain_text("No documents")
    assert page.goto("/documents/exchange:H0/keep").status == 404
    assert page.goto("/documents/person:460100199001011234").status == 404
