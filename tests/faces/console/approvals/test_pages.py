"""The pages of approvals in both languages: whole for axe, of one tongue, as wide as their screen; what they say."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from tests.support.pages import faults_of

VISITS = {
    "haikou-keys-2": ("", "/decided", "/expired", "/{keys}", "/{expired}", "/lending"),
    "haikou-keys": ("", "/mine", "/{keys}"),
    "haikou-planner": ("", "/lending", "/{keys_too}"),
    "sanya-desk": ("/{returned}", "/{returned}/complete"),
    "dual-one": ("", "/{dual_too}"),
    "hainan-examiner": ("/{rejected}", "/decided"),
    "no-role": ("", "/mine", "/lending"),
}


@pytest.mark.req("H2")
@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("login", VISITS)
def test_a_page_of_approvals_is_whole_for_everybody(surf, requests, login, language):
    page = surf.signed_in(login, language)
    wrong = {}
    for visit in VISITS[login]:
        address = f"/approvals{visit.format(**requests)}"
        answer = page.goto(address)
        page.wait_for_selector("body.js-enabled")
        found = [f"status {answer.status}"] if answer.status != 200 else []
        found += faults_of(page, answer.text(), language)
        if found:
            wrong[address] = found
    assert not wrong, "\n".join(f"{address}\n  " + "\n  ".join(found) for address, found in wrong.items())


@pytest.mark.parametrize(
    ("login", "name", "said"),
    [
        ("haikou-keys", "keys", "You made this proposal, so you cannot decide it. (no. 3104)"),
        ("hainan-examiner", "rejected", "The request is closed: rejected. (no. 3117)"),
        ("sanya-desk", "returned", "The request was returned to Sanya card centre for completion. (no. 3118)"),
        ("haikou-keys-2", "expired", "The request is closed: expired. (no. 3117)"),
        ("haikou-auditor", "keys", "You do not hold the permission “Decide about keys” (key.decide). (no. 3001)"),
    ],
)
def test_who_cannot_decide_reads_exactly_why(surf, requests, login, name, said):
    page = surf.signed_in(login, "en")
    page.goto(f"/approvals/{requests[name]}")
    expect(page.locator(".decision p").filter(has_text="(no. ")).to_have_text(said)
    assert page.locator("[name=verdict]").count() == 0


def test_what_one_may_not_read_is_not_there(surf, requests):
    page = surf.signed_in("no-role", "en")
    for address in (f"/approvals/{requests['keys']}", f"/approvals/{requests['dual']}", "/approvals/999999"):
        assert page.goto(address).status == 404
        expect(page.locator("h1")).to_have_text("Refused · no. 3110")
    page = surf.signed_in("haikou-keys", "en")
    assert page.goto(f"/approvals/{requests['keys']}/complete").status == 403


def test_a_borrowed_right_fills_the_inbox_and_is_given_back(surf, requests):
    page = surf.signed_in("haikou-planner", "en")
    page.goto("/approvals")
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page.locator("tbody")).to_contain_text("SM4, version 2")
    page.goto(f"/approvals/{requests['keys']}")
    expect(page.locator("[name=verdict]")).to_have_count(3)


def test_a_decision_without_verdict_or_reason_comes_back_and_a_stale_one_is_refused(surf, requests):
    page = surf.signed_in("haikou-approver", "en")
    page.goto(f"/approvals/{requests['keys_too']}")
    page.click("text=Record the decision")
    expect(page.locator(".govuk-error-summary")).to_contain_text("Choose a verdict")
    page.check("[value=reject]")
    page.click("text=Record the decision")
    expect(page.locator(".govuk-error-summary")).to_contain_text("Write what is missing, or why not")
    page.locator("[name=digest]").evaluate("field => { field.value = '0'.repeat(64) }")
    page.check("[value=approve]")
    with page.expect_navigation() as answer:
        page.click("text=Record the decision")
    assert answer.value.status == 409
    expect(page.get_by_role("alert")).to_contain_text("3102")


def test_a_request_is_reassigned_and_withdrawn(surf, requests):
    page = surf.signed_in("haikou-approver", "en")
    page.goto(f"/approvals/{requests['keys_too']}")
    page.select_option("#reassign-to", label="郑怀瑾")
    page.click("#reassign button")
    expect(page.locator("#reassign")).to_contain_text("Write a line first")
    page.select_option("#reassign-to", label="郑怀瑾")
    page.fill("#reassign-reason", "was at the generation of version 1")
    page.click("#reassign button")
    expect(page.locator(".decision")).to_contain_text("The request is assigned to 郑怀瑾.")
    page = surf.signed_in("haikou-keys", "en")
    page.goto(f"/approvals/{requests['keys_too']}")
    page.click("#withdraw button")
    expect(page.locator("#withdraw")).to_contain_text("Write a line first")
    page.fill("#withdraw-reason", "version 3 is not needed")
    page.click("#withdraw button")
    expect(page.locator(".states")).to_contain_text("Withdrawn")
    assert page.request.get(f"/approvals/{requests['keys_too']}/decide").status == 405


def test_a_right_is_lent_and_taken_back(surf):
    page = surf.signed_in("haikou-approver", "en")
    page.goto("/approvals/lending")
    page.click("main form .button--primary")
    expect(page.locator(".govuk-error-summary")).to_contain_text("Choose a colleague")
    page.select_option("#to", label="吴青岚")
    page.fill("#reason", "on leave")
    page.click("main form .button--primary")
    expect(page.get_by_role("alert").first).to_contain_text("3154")
    page.select_option("#to", label="许清和")
    page.fill("#reason", "on leave")
    page.click("main form .button--primary")
    expect(page.locator("tbody tr", has_text="许清和")).to_contain_text("In force")
    page.click("text=Take back")
    expect(page.locator("tbody tr", has_text="许清和")).to_contain_text("Ended")
