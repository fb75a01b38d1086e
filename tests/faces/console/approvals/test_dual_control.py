"""Dual control in two browsers: two people, each with a security key that signs the digest of what is decided."""

from __future__ import annotations

import json
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import expect

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "usb",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def with_key(chromium, town):
    """with_key(login) → a page of a browser of its own, signed in, with a registered security key."""
    contexts = []

    def sit(login):
        address = town.address.replace("127.0.0.1", "localhost")
        context = chromium.new_context(base_url=address, locale="en-GB", viewport={"width": 1366, "height": 900})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        device = context.new_cdp_session(page)
        device.send("WebAuthn.enable")
        device.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
        password = town.facts["password"]
        page.goto("/sign-in")
        page.fill("#login", login)
        page.fill("#password", password)
        page.press("#password", "Enter")
        page.fill("#code", page.inner_text("#demo-code"))
        page.press("#code", "Enter")
        page.wait_for_url(f"{address}/")
        page.goto("/account")
        form = page.locator("form[action$='/account/devices/key']")
        form.locator("[name=label]").fill("the key of the test")
        form.locator("button").click()
        page.fill("#confirm_password", password)
        page.fill("#confirm_code", page.inner_text("#demo-code"))
        page.press("#confirm_code", "Enter")
        page.locator("form[data-security-key=create] button").click()
        page.wait_for_url(f"{address}/account")
        return page

    yield sit
    for context in contexts:
        context.close()


def approve(page, key):
    """Choose, record, touch the key: the body that the browser posted with the key's answer."""
    page.goto(f"/approvals/{key}")
    page.check("[value=approve]")
    page.fill("#reason", "read and compared")
    page.click("text=Record the decision")
    with page.expect_request(lambda request: "confirm_answer" in (request.post_data or "")) as sent:
        page.click("text=Confirm with the security key")
    page.wait_for_url(f"**/approvals/{key}")
    return {name: values[0] for name, values in parse_qs(sent.value.post_data).items()}


def replay(page, key, posted, **changes):
    """Send a body again as a script would, from the same session."""
    page.goto(f"/approvals/{key}")
    token = page.locator("form [name=csrfmiddlewaretoken]").first.input_value()
    form = {**posted, "csrfmiddlewaretoken": token, **changes}
    return page.request.post(f"/approvals/{key}/decide", form=form, headers={"Referer": page.url})


@pytest.mark.req("K6")
@pytest.mark.req("I3")
def test_two_people_two_browsers_two_keys_and_no_answer_counts_for_another_digest(with_key, requests):
    first, second = with_key("dual-one"), with_key("dual-two")
    dual, other = requests["dual"], requests["dual_too"]
    posted = approve(first, dual)
    signed = json.loads(posted["confirm_answer"])
    assert signed["type"] == "public-key"
    expect(first.locator(".steps__now")).to_contain_text("1 of 2 people: 裴清")
    expect(first.locator(".decision")).to_contain_text("You have decided this proposal already.")

    first.goto(f"/approvals/{other}")
    digest = first.input_value("[name=digest]")
    assert digest != posted["digest"]
    again = replay(first, other, posted, digest=digest)
    assert again.status == 401 and "3050" in again.text()
    first.goto(f"/approvals/{other}")
    first.check("[value=approve]")
    first.click("text=Record the decision")
    asked = first.locator("[name=confirm_asked]").input_value()
    forged = replay(first, other, posted, digest=digest, confirm_asked=asked)
    assert forged.status == 401 and "3060" in forged.text()
    first.goto(f"/approvals/{other}")
    expect(first.locator(".steps__now")).to_contain_text("0 of 2 people")
    twice = replay(first, dual, posted)
    assert twice.status == 409 and "3105" in twice.text()
    theft = replay(second, other, posted, digest=digest, confirm_asked=asked)
    assert theft.status == 401

    approve(second, dual)
    expect(second.locator(".states")).to_contain_text("Approved and carried out")
    expect(second.locator(".life")).to_contain_text("Review: approved")
    first.goto("/issuance/numbers")
    expect(first.locator("tbody")).to_contain_text("460200")
