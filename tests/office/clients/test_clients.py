"""Clients: what they may be granted, secrets that overlap and end, locks, limits, and what a partner sees."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from tests.support.api import partner_of

from sheka.foundation.refusals import Code, Refused
from sheka.office.audit.models import Event
from sheka.office.clients.actions.end_client import end_client
from sheka.office.clients.actions.make_client import make_client
from sheka.office.clients.actions.rotate_secret import rotate_secret
from sheka.office.clients.models import Client, Minute, Secret, Token
from sheka.office.clients.policy import client_policy
from sheka.office.clients.queries import clients_of
from sheka.office.clients.tokens import caller_with, give_token
from sheka.office.organisations.models import Kind, Organisation
from sheka.office.scope import acting_in
from sheka.office.staff.permissions import Permission


@pytest.fixture
def clock(time_machine):
    """The clock of this process, which a test moves on."""
    time_machine.move_to(timezone.now())
    return time_machine


def make(actor, place="460100", scopes=(Permission.CARD_STATE,), days=365, **more):
    return make_client(
        actor,
        organisation_code=place,
        name="掌上社保",
        scopes=scopes,
        valid_to=timezone.localdate() + timedelta(days=days),
        **more,
    )


def refused_with(code, verb):
    with pytest.raises(Refused) as refused:
        verb()
    assert refused.value.code is code
    return refused.value


def test_a_client_holds_only_what_the_policy_gives_its_kind_of_organisation(installer, tree):
    for scope in Permission:
        if scope in client_policy().scopes("city"):
            continue
        refused_with(Code.CLIENT_SCOPE, lambda scope=scope: make(installer, scopes=[scope]))
    refused_with(Code.CLIENT_SCOPE, lambda: make(installer, place="460100-01"))


def test_dates_limit_name_and_reach_are_checked(installer, tree, appoint):
    longest = client_policy().longest.days
    for days in (0, -1, longest + 1):
        refused_with(Code.CLIENT_DATES, lambda days=days: make(installer, days=days))
    for limit in (0, client_policy().most_a_minute + 1):
        refused_with(Code.CLIENT_LIMIT, lambda limit=limit: make(installer, a_minute=limit))
    guard = appoint("guard", "460100", "security_administrator")
    refused_with(Code.ORGANISATION_OUT_OF_REACH, lambda: make(guard, place="460200"))
    refused_with(Code.ORGANISATION_OUT_OF_REACH, lambda: make(guard, place="460000", scopes=[]))
    client, _ = make(guard)
    assert Event.objects.filter(event="client.made", subject=client.subject).count() == 1
    stranger = appoint("stranger", "460200", "security_administrator")
    assert list(clients_of(stranger)) == []
    refused_with(Code.CLIENT_UNKNOWN, lambda: rotate_secret(stranger, code=client.code))
    refused_with(Code.CLIENT_UNKNOWN, lambda: end_client(stranger, code=client.code, reason="停用"))


def test_neither_secret_nor_token_can_be_read_anywhere(installer, tree):
    client, secret = make(installer)
    token = give_token(client.code, secret).token
    kept = [
        *Secret.objects.values_list("digest", flat=True),
        *Token.objects.values_list("digest", flat=True),
        *Event.objects.values_list("facts", flat=True),
        *Event.objects.values_list("subject", flat=True),
    ]
    assert not [text for text in kept if secret in text or token in text]


def test_after_a_rotation_both_secrets_work_until_the_overlap_ends(installer, tree, clock):
    client, first = make(installer)
    second = rotate_secret(installer, code=client.code)
    old_token = give_token(client.code, first).token
    assert caller_with(old_token).code == caller_with(give_token(client.code, second).token).code == client.code
    clock.shift(client_policy().overlap - timedelta(seconds=60))
    late = give_token(client.code, first)
    assert Token.objects.latest("issued_at").expires_at <= timezone.now() + timedelta(seconds=60)
    clock.shift(timedelta(seconds=61))
    refused_with(Code.API_CLIENT_REFUSED, lambda: give_token(client.code, first))
    refused_with(Code.API_TOKEN_REFUSED, lambda: caller_with(late.token))
    assert give_token(client.code, second).scopes == ["card.state"]


def test_a_third_secret_ends_the_first_at_once_and_a_leak_ends_all(installer, tree):
    client, first = make(installer)
    token = give_token(client.code, first).token
    second = rotate_secret(installer, code=client.code)
    third = rotate_secret(installer, code=client.code)
    refused_with(Code.API_CLIENT_REFUSED, lambda: give_token(client.code, first))
    refused_with(Code.API_TOKEN_REFUSED, lambda: caller_with(token))
    assert give_token(client.code, second) and give_token(client.code, third)
    fourth = rotate_secret(installer, code=client.code, at_once=True)
    for secret in (second, third):
        refused_with(Code.API_CLIENT_REFUSED, lambda secret=secret: give_token(client.code, secret))
    assert give_token(client.code, fourth)


def test_a_token_ends_by_itself_with_its_client_and_with_its_scope(installer, tree, clock):
    client, secret = make(installer, days=2)
    token = give_token(client.code, secret).token
    clock.shift(client_policy().token + timedelta(seconds=1))
    refused_with(Code.API_TOKEN_REFUSED, lambda: caller_with(token))
    token = give_token(client.code, secret).token
    assert Token.objects.count() == 1, "expired tokens are forgotten"
    Client.objects.update(scopes=[])
    assert caller_with(token).actor.permissions == frozenset()
    end_client(installer, code=client.code, reason="合作结束")
    refused_with(Code.API_TOKEN_REFUSED, lambda: caller_with(token))
    refused_with(Code.API_CLIENT_REFUSED, lambda: give_token(client.code, secret))
    refused_with(Code.CLIENT_ENDED, lambda: rotate_secret(installer, code=client.code))
    refused_with(Code.CLIENT_ENDED, lambda: end_client(installer, code=client.code, reason="再停"))


def test_a_client_of_a_closed_organisation_is_not_let_in(installer, tree):
    client, secret = make(installer)
    token = give_token(client.code, secret).token
    Organisation.objects.filter(code="460100").update(valid_to=timezone.localdate())
    refused_with(Code.API_TOKEN_REFUSED, lambda: caller_with(token))
    refused_with(Code.API_CLIENT_REFUSED, lambda: give_token(client.code, secret))


def test_a_client_past_its_last_day_is_not_let_in(installer, tree, clock):
    client, secret = make(installer, days=1)
    clock.shift(timedelta(days=1))
    refused_with(Code.API_CLIENT_REFUSED, lambda: give_token(client.code, secret))
    refused_with(Code.CLIENT_ENDED, lambda: rotate_secret(installer, code=client.code))


def test_wrong_secrets_lock_the_client_for_a_time_and_are_audited(installer, tree, clock):
    client, secret = make(installer)
    for _ in range(client_policy().wrong_secrets):
        refused_with(Code.API_CLIENT_REFUSED, lambda: give_token(client.code, "shekas_guess"))
    refused_with(Code.API_CLIENT_LOCKED, lambda: give_token(client.code, secret))
    assert Event.objects.filter(event="client.secret_wrong").count() == client_policy().wrong_secrets
    clock.shift(client_policy().locked + timedelta(seconds=1))
    assert give_token(client.code, secret)
    assert Client.objects.get().wrong_secrets == 0
    refused_with(Code.API_CLIENT_REFUSED, lambda: give_token("c-0000000000000000", secret))


def test_a_token_opens_no_more_than_was_asked_for_and_granted(installer, tree):
    client, secret = make(installer, scopes=[Permission.CARD_STATE, Permission.CARD_LOSS])
    asked = give_token(client.code, secret, ["card.loss"])
    assert caller_with(asked.token).actor.permissions == {Permission.CARD_LOSS}
    refused_with(Code.API_SCOPE, lambda: give_token(client.code, secret, ["card.block"]))


def test_a_client_decides_nothing(installer, tree):
    client, secret = make(installer)
    actor = caller_with(give_token(client.code, secret).token).actor
    assert (actor.staff_id, actor.is_person, actor.client) == (None, False, client.code)
    deciding = {p for p in Permission if p.value.rsplit(".")[-1] in ("decide", "approve", "examine", "witness")}
    assert deciding and not deciding & frozenset().union(*client_policy().kinds.values())


def test_rows_of_a_client_are_those_of_its_organisation_only(installer, tree):
    client, secret = make(installer)
    give_token(client.code, secret)
    with acting_in(tree["460200"].path):
        assert [model.objects.count() for model in (Client, Secret, Token, Minute)] == [0, 0, 0, 0]
    with acting_in(tree["460100"].path):
        assert [model.objects.count() for model in (Client, Secret, Token)] == [1, 1, 1]


def test_the_limit_of_a_minute_holds_and_says_when_to_come_back(installer, tree, time_machine):
    time_machine.move_to("2026-11-23T02:00:10+00:00", tick=False)
    partner = partner_of(installer, "460100", a_minute=3)
    left = [partner.get("/organisations").headers["RateLimit-Remaining"] for _ in range(3)]
    assert left == ["2", "1", "0"]
    over = partner.get("/organisations")
    assert (over.status_code, over.json()["code"]) == (429, Code.API_RATE.value)
    assert over.headers["Retry-After"] == "50"
    time_machine.move_to("2026-11-23T02:01:00+00:00", tick=False)
    assert partner.get("/organisations").status_code == 200


def test_every_kind_in_the_policy_is_a_kind_of_organisation():
    assert set(client_policy().kinds) <= set(Kind.values)
