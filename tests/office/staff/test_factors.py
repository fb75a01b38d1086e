"""Second factors: security keys and their counter, authenticators, recovery codes, and the last one that stays."""

from __future__ import annotations

import json
import re

import pytest
from django_otp.plugins.otp_totp.models import TOTPDevice

from sheka.faces.story.security_key import SoftKey
from sheka.foundation.refusals import Code, Refused
from sheka.office.audit.models import Event
from sheka.office.staff import factors
from sheka.office.staff.actions import own_account
from sheka.office.staff.confirmations import confirm_with_code
from sheka.office.staff.models import RecoveryCode, StaffMember
from sheka.office.staff.proofs import factors_of, prove_key, prove_recovery
from sheka.office.staff.queries import devices_of, pending_device, recovery_codes_left
from sheka.office.staff.rules import rules
from sheka.office.staff.security_keys import assertion_options, check_registration, registration_options
from sheka.office.staff.tries import NOWHERE

CHALLENGE, PASSWORD = b"c" * 32, "a long pass phrase"


def person(login):
    return StaffMember.objects.select_related("organisation").get(login=login)


def refusal(call, *args, **kwargs):
    with pytest.raises(Refused) as refused:
        call(*args, **kwargs)
    return refused.value.code


def answer(key, staff, challenge=CHALLENGE):
    return key.sign(assertion_options(staff, challenge))


def test_a_key_opens_and_its_counter_is_kept(appoint, soft_key):
    appoint("holder", "460100")
    key, staff = soft_key("holder"), person("holder")
    assert factors_of(staff) == {"key"}
    assert prove_key(staff, CHALLENGE, answer(key, staff), NOWHERE).sign_count == 1
    assert staff.security_keys.get().transports == ["usb"]
    assert prove_key(staff, CHALLENGE, answer(key, staff), NOWHERE).last_used_at


def test_a_counter_that_does_not_grow_locks_the_key_for_good(appoint, soft_key):
    appoint("holder", "460100")
    key, staff = soft_key("holder"), person("holder")
    key.count = 9
    prove_key(staff, CHALLENGE, answer(key, staff), NOWHERE)
    key.count = 9  # the copy signs with 10, as the key just did
    assert refusal(prove_key, staff, CHALLENGE, answer(key, staff), NOWHERE) is Code.SECURITY_KEY_COPIED
    assert staff.security_keys.get().locked_at is not None
    assert Event.objects.filter(event="staff.security_key_locked").count() == 1
    key.count = 99
    assert refusal(prove_key, staff, CHALLENGE, answer(key, staff), NOWHERE) is Code.SECURITY_KEY_REFUSED
    assert factors_of(staff) == set()


def test_a_key_without_a_counter_is_taken(appoint, soft_key):
    """Passkeys that many devices share always say nought (WebAuthn §6.1.1)."""
    appoint("holder", "460100")
    key, staff = soft_key("holder"), person("holder")
    for _ in range(2):
        key.count = -1
        prove_key(staff, CHALLENGE, answer(key, staff), NOWHERE)
    assert staff.security_keys.get().locked_at is None


def spoil(**changes):
    def change(key, staff):
        for name, value in changes.items():
            setattr(key, name, value)
        return answer(key, staff)

    return change


@pytest.mark.parametrize(
    "forge",
    [
        spoil(verifies=False),
        spoil(origin="https://elsewhere.example"),
        spoil(rp_id="elsewhere.example"),
        lambda key, staff: answer(key, staff, b"d" * 32),
        lambda key, staff: "",
        lambda key, staff: "[]",
        lambda key, staff: '{"id": 1, "response": {}}',
        lambda key, staff: '{"response": {}}',
        lambda key, staff: "[" * 100_000,
        lambda key, staff: json.dumps(json.loads(answer(key, staff)) | {"type": "password"}),
        lambda key, staff: re.sub('"signature": "....', '"signature": "AAAA', answer(key, staff)),
    ],
)
def test_an_answer_that_proves_nothing_is_refused_and_counted(appoint, soft_key, forge):
    appoint("holder", "460100")
    key, staff = soft_key("holder"), person("holder")
    assert refusal(prove_key, staff, CHALLENGE, forge(key, staff), NOWHERE) is Code.SECURITY_KEY_REFUSED
    staff.refresh_from_db()
    assert staff.failed_sign_ins == 1


def test_the_key_of_another_opens_nothing(appoint, soft_key):
    appoint("holder", "460100")
    appoint("thief", "460100")
    key = soft_key("thief")
    soft_key("holder")
    staff = person("holder")
    assert refusal(prove_key, staff, CHALLENGE, answer(key, staff), NOWHERE) is Code.SECURITY_KEY_REFUSED


def test_repeated_failures_of_a_key_lock_the_account(appoint, soft_key):
    appoint("holder", "460100")
    key, staff = soft_key("holder"), person("holder")
    key.verifies = False
    for _ in range(rules().failures - 1):
        assert refusal(prove_key, staff, CHALLENGE, answer(key, staff), NOWHERE) is Code.SECURITY_KEY_REFUSED
    assert refusal(prove_key, staff, CHALLENGE, answer(key, staff), NOWHERE) is Code.SIGN_IN_LOCKED


def test_registering_asks_for_verification_and_knows_a_key_again(appoint, settings):
    appoint("holder", "460100")
    staff = person("holder")
    key = SoftKey(settings.WEBAUTHN_RP_ID, settings.WEBAUTHN_ORIGINS[0])
    key.verifies = False
    spoiled = key.register(registration_options(staff, CHALLENGE))
    assert refusal(check_registration, CHALLENGE, spoiled) is Code.SECURITY_KEY_REFUSED
    key.verifies = True
    good = key.register(registration_options(staff, CHALLENGE))
    factors.add_key(staff, CHALLENGE, good, "blue")
    assert refusal(factors.add_key, staff, CHALLENGE, good, "blue again") is Code.SECURITY_KEY_KNOWN
    excluded = json.loads(registration_options(staff, CHALLENGE))["excludeCredentials"]
    assert [one["transports"] for one in excluded] == [["usb"]]


def test_an_authenticator_is_registered_with_presence_and_its_first_code(phone):
    actor, code = phone("holder")
    assert refusal(own_account.begin_authenticator, actor, label="second") is Code.CONFIRMATION_NEEDED
    confirm_with_code(actor, own_account.change_digest(actor, "add_authenticator"), PASSWORD, code())
    device = own_account.begin_authenticator(actor, label="second")
    staff = person("holder")
    assert pending_device(staff) == device
    assert [one.label for one in devices_of(staff)] == ["phone"]
    assert refusal(own_account.add_authenticator, actor, code="not it") is Code.FACTOR_NOT_CONFIRMED
    own_account.add_authenticator(actor, code=code(device))
    assert [one.label for one in devices_of(staff)] == ["phone", "second"]
    assert Event.objects.filter(event="staff.factor_added").count() == 1


def test_the_address_in_the_qr_code_is_what_an_authenticator_reads(phone):
    phone("holder")
    staff = person("holder")
    device = factors.begin_authenticator(staff, "second")
    address = factors.authenticator_address(device)
    secret = factors.authenticator_secret(device).replace(" ", "")
    assert address.startswith("otpauth://totp/Sheka%3Aholder?")
    assert f"secret={secret}&issuer=Sheka&algorithm=SHA1&digits=6&period=30" in address
    assert factors.begin_authenticator(staff, "third").pk != device.pk
    assert TOTPDevice.objects.filter(user=staff, confirmed=False).count() == 1


def test_the_last_device_stays_until_there_is_another(phone, soft_key):
    actor, _code = phone("holder")
    staff = person("holder")
    only = devices_of(staff)[0]
    assert refusal(factors.drop_device, staff, only.kind, only.number) is Code.FACTOR_LAST
    assert refusal(factors.drop_device, staff, "key", 1) is Code.FACTOR_UNKNOWN
    soft_key("holder")
    assert factors.drop_device(staff, only.kind, only.number) == "phone"
    assert factors_of(person("holder")) == {"key"}
    assert actor.staff_id == staff.pk


def test_removing_a_device_asks_for_presence_for_this_device(phone, soft_key):
    actor, code = phone("holder")
    soft_key("holder")
    one, other = devices_of(person("holder"))
    confirm_with_code(
        actor, own_account.change_digest(actor, "remove", kind=other.kind, number=other.number), PASSWORD, code()
    )
    assert refusal(own_account.remove_device, actor, kind=one.kind, number=one.number) is Code.CONFIRMATION_NEEDED
    own_account.remove_device(actor, kind=other.kind, number=other.number)
    assert [device.kind for device in devices_of(person("holder"))] == ["code"]


def test_recovery_codes_open_once_each_and_a_new_sheet_voids_the_old(phone):
    actor, code = phone("holder")
    confirm_with_code(actor, own_account.change_digest(actor, "recovery"), PASSWORD, code())
    sheet = own_account.make_recovery_codes(actor)
    staff = person("holder")
    assert len(set(sheet)) == rules().recovery_codes == recovery_codes_left(staff)
    assert not RecoveryCode.objects.filter(code__in=sheet).exists()
    prove_recovery(staff, sheet[0].lower().replace("-", " "), NOWHERE)
    assert refusal(prove_recovery, staff, sheet[0], NOWHERE) is Code.SIGN_IN_FAILED
    factors.new_recovery_codes(staff)
    assert refusal(prove_recovery, staff, sheet[1], NOWHERE) is Code.SIGN_IN_FAILED


def test_a_recovery_code_confirms_a_decision_when_the_device_is_gone(appoint):
    actor = appoint("holder", "460100")
    sheet = factors.new_recovery_codes(person("holder"))
    assert confirm_with_code(actor, "ab" * 32, PASSWORD, sheet[0]).factor == "recovery"


def test_nobody_hoards_devices(phone):
    phone("holder")
    staff = person("holder")
    for number in range(factors.MOST_DEVICES - 1):
        TOTPDevice.objects.create(user=staff, name=str(number), confirmed=True)
    assert refusal(factors.begin_authenticator, staff, "one more") is Code.FACTOR_TOO_MANY
