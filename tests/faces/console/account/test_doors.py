"""The doors of the account without a browser: who is let through, what is carried, what a proxy says."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.test import RequestFactory
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from sheka.faces.console.visits import visit_of
from sheka.office.staff.models import Confirmation, StaffMember, StaffSession
from sheka.office.staff.rules import rules
from sheka.office.staff.sign_in import code_shown_in_demo

PASSWORD = "a long pass phrase"


@pytest.fixture
def clerk(appoint):
    """A clerk with a phone."""
    staff = StaffMember.objects.get(pk=appoint("clerk", "460100-01", "clerk").staff_id)
    TOTPDevice.objects.create(user=staff, name="phone", confirmed=True)
    return staff


@pytest.fixture
def inside(client, clerk):
    """A browser in which the clerk is signed in."""
    client.post("/sign-in", {"login": "clerk", "password": PASSWORD})
    assert client.post("/sign-in/code", {"code": code_shown_in_demo(clerk)}).url == "/"
    return client


def test_the_session_key_changes_at_each_step(client, clerk):
    client.get("/sign-in")
    keys = []
    client.post("/sign-in", {"login": "clerk", "password": PASSWORD})
    keys.append(client.session.session_key)
    client.post("/sign-in/code", {"code": code_shown_in_demo(clerk)})
    keys.append(client.session.session_key)
    assert len(set(keys)) == 2
    assert StaffSession.objects.get().key == keys[-1]


def test_the_second_step_waits_five_minutes(client, clerk):
    client.post("/sign-in", {"login": "clerk", "password": PASSWORD})
    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        for address in ("/sign-in/code", "/sign-in/recovery"):
            assert client.get(address).url == "/sign-in"


def test_a_password_of_another_is_changed_before_anything_else(inside, clerk):
    StaffMember.objects.filter(pk=clerk.pk).update(must_change_password=True)
    assert inside.get("/cards").url == "/account/password"
    new = "four unlike words here"
    assert inside.post("/account/password", {"current": PASSWORD, "new": new, "again": new}).url == "/account"
    assert inside.get("/cards").status_code == 200


def test_asking_how_long_it_lasts_keeps_no_session_alive(inside):
    start = timezone.now()
    with time_machine.travel(start + timedelta(minutes=10)):
        assert inside.get("/account/session").json()["left"] <= 300
    with time_machine.travel(start + timedelta(minutes=14)):
        assert inside.get("/account/session").json()["left"] <= 60
        assert inside.post("/account/session/stay").json()["left"] > 800
    with time_machine.travel(start + timedelta(minutes=14) + rules().idle + timedelta(seconds=1)):
        assert inside.get("/account").url.startswith("/sign-in?next=/account")


def test_a_cookie_whose_session_ended_opens_nothing(inside):
    StaffSession.objects.update(ended_at=timezone.now(), end_reason="administrator")
    assert inside.get("/").url.startswith("/sign-in")
    assert inside.get("/account/session").status_code == 302


def test_the_page_between_carries_the_form_and_asks_again_after_a_mistake(inside, clerk):
    page = inside.post("/account/devices/authenticator", {"label": "<b>second</b>"})
    assert b'name="label" value="&lt;b&gt;second&lt;/b&gt;"' in page.content
    wrong = inside.post("/account/devices/authenticator", {"label": "x", "confirm_password": "no", "confirm_code": "1"})
    assert wrong.status_code == 401 and b"3051" in wrong.content
    with time_machine.travel(timezone.now() + timedelta(seconds=40)):
        proof = {"confirm_password": PASSWORD, "confirm_code": code_shown_in_demo(clerk)}
        done = inside.post("/account/devices/authenticator", {"label": "second", **proof})
    assert done.status_code == 200 and b"<svg" in done.content and b"style=" not in done.content
    assert Confirmation.objects.get(staff=clerk, confirmed_at__isnull=False).used_at


def test_a_lock_on_the_page_between_ends_the_session(inside):
    for _ in range(rules().failures):
        answer = inside.post("/account/devices/recovery-codes", {"confirm_password": "no", "confirm_code": "1"})
    assert answer.status_code == 429
    assert inside.get("/").url.startswith("/sign-in")


@pytest.mark.parametrize("answer", ["", "{}", "no json"])
def test_an_answer_of_no_key_is_refused(inside, answer):
    assert inside.post("/account/devices/key/register", {"answer": answer, "label": "x"}).status_code in (401, 403)


def test_the_steps_of_enrolment_are_in_order(client, db):
    for address in ("/enrol/password", "/enrol/device"):
        assert client.get(address).url == "/enrol"
    assert client.post("/enrol/key", {"label": "x"}).url == "/enrol"


@pytest.mark.parametrize(
    ("demo", "remote", "forwarded", "address"),
    [
        (False, "127.0.0.1", "198.51.100.1, 203.0.113.7", "203.0.113.7"),
        (False, "192.0.2.1", "203.0.113.7", "192.0.2.1"),
        (True, "127.0.0.1", "203.0.113.7", "127.0.0.1"),
        (False, "127.0.0.1", "", "127.0.0.1"),
    ],
)
def test_only_a_proxy_on_this_machine_is_believed(settings, demo, remote, forwarded, address):
    settings.DEMO = demo
    request = RequestFactory().get("/", REMOTE_ADDR=remote, headers={"X-Forwarded-For": forwarded})
    assert visit_of(request).address == address
