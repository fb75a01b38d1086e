"""Signing in: password first, then a second factor; what opens is a session of staff (R: ASVS 6.3, 7.2).

Every try is counted, kept in the person's history and audited. An unknown name costs the same time and gets the same
answer as a wrong password.
"""

from __future__ import annotations

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from sheka.foundation.refusals import Code, Refused
from sheka.office.audit.trail import record
from sheka.office.staff.models import StaffMember, StaffSession
from sheka.office.staff.proofs import factors_of, prove_password
from sheka.office.staff.rules import rules
from sheka.office.staff.sessions import end, running
from sheka.office.staff.tries import NOWHERE, Visit, cleared, failed_unknown, must_be_let_in, note, own_actor


def check_password(login: str, password: str, visit: Visit = NOWHERE) -> StaffMember:
    """The person with this name and password, who holds a second factor.

    Raises Refused: ORGANISATION_NOT_IN_FORCE, SIGN_IN_FAILED, SIGN_IN_LOCKED, SIGN_IN_TOO_MANY, SIGN_IN_NO_FACTOR.
    """
    must_be_let_in(visit)
    staff = StaffMember.objects.select_related("organisation").filter(login=login, is_active=True).first()
    if staff is None:
        make_password(password)
        raise failed_unknown(login, visit)
    prove_password(staff, password, visit)
    staff.organisation.must_be_in_force(timezone.localdate())
    if not factors_of(staff):
        raise Refused(Code.SIGN_IN_NO_FACTOR)
    return staff


def open_session(staff: StaffMember, *, factor: str, visit: Visit, key: str) -> StaffSession:
    """Both factors were proved: the session of the browser whose session key is `key`.

    Where the policy's number of sessions is reached the oldest ends.
    """
    now = timezone.now()
    with transaction.atomic():
        StaffMember.objects.select_for_update().get(pk=staff.pk)
        cleared(staff)
        spare = running(staff).order_by("-started_at").values_list("pk", flat=True)[rules().sessions_at_once - 1 :]
        end(StaffSession.objects.filter(pk__in=list(spare)), "too_many")
        opened = StaffSession.objects.create(
            staff=staff,
            organisation_id=staff.organisation_id,
            key=key,
            factor=factor,
            address=visit.address[:45],
            agent=visit.agent[:200],
            started_at=now,
            seen_at=now,
        )
        note(staff, visit, factor, "signed_in")
        record(own_actor(staff, str(opened.pk)), "staff.signed_in", f"staff:{staff.login}", factor=factor)
    return opened


def close_session(staff: StaffMember, session: str | None) -> None:
    """The person signs out."""
    with transaction.atomic():
        end(StaffSession.objects.filter(pk=session, staff=staff), "signed_out")
        record(own_actor(staff, session or ""), "staff.signed_out", f"staff:{staff.login}")


def code_shown_in_demo(staff: StaffMember) -> str | None:
    """The first code that would be accepted now and was not used yet, for the demo only; None while there is none."""
    clock, ahead, device = _demo_clock(staff)
    if clock is None or device is None or ahead > device.tolerance:
        return None
    clock.drift += ahead
    return f"{clock.token():0{device.digits}d}"


def seconds_to_next_code(staff: StaffMember) -> int:
    """How long the demo's reader has to wait when every code that would be accepted now was used already, else 0."""
    clock, ahead, device = _demo_clock(staff)
    if clock is None or device is None or ahead <= device.tolerance:
        return 0
    return (ahead - device.tolerance) * device.step - int(clock.time - device.t0) % device.step


def _demo_clock(staff: StaffMember) -> tuple[TOTP | None, int, TOTPDevice | None]:
    """The clock of the person's first authenticator, and how many steps ahead its first unused code is."""
    device = TOTPDevice.objects.filter(user=staff, confirmed=True).order_by("pk").first()
    if device is None:
        return None, 0, None
    clock = TOTP(device.bin_key, device.step, device.t0, device.digits, device.drift)
    clock.time = timezone.now().timestamp()
    return clock, max(0, device.last_t + 1 - clock.t()), device
