"""How the people of the story consent: each proves presence with a security key, for exactly what is decided."""

from __future__ import annotations

import secrets
import time

from django.conf import settings
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from sheka.faces.story.cast import acting, demo_password
from sheka.faces.story.security_key import SoftKey
from sheka.faces.story.stage import Stage, until
from sheka.office.approvals.actions.decide import decide
from sheka.office.approvals.models import Proposal
from sheka.office.staff.actions.own_account import add_security_key, change_digest, remove_device
from sheka.office.staff.actors import Actor
from sheka.office.staff.confirmations import ask_confirmation, confirm_with_code, confirm_with_key, key_options
from sheka.office.staff.models import SecurityKey, StaffMember
from sheka.office.staff.security_keys import registration_options

LABEL = "演示密钥"
"""What a key of the story is called."""


def approves(stage: Stage, login: str, seen: Proposal, reason: str = "") -> Proposal:
    """This member of the cast reads the request as it stands, proves presence, and approves."""
    actor = acting(login)
    if seen.step_now.confirm:
        presence(stage, actor, seen.digest)
    return decide(actor, proposal_id=seen.pk, digest=seen.digest, step=seen.step, verdict="approve", reason=reason)


def presence(stage: Stage, actor: Actor, digest: str) -> None:
    """This person proves presence for exactly this digest, with the own security key."""
    key = _security_key(stage, actor)
    asked = ask_confirmation(actor, digest)
    confirm_with_key(actor, digest, asked.pk, key.sign(key_options(asked)))


def hand_in_keys(stage: Stage) -> None:
    """The story is over and so are its keys: who visits the demonstration proves presence with a one-time code."""
    for row in SecurityKey.objects.filter(removed_at=None, label=LABEL).select_related("staff").order_by("pk"):
        actor = acting(row.staff.login)
        presence(stage, actor, change_digest(actor, "remove", kind="key", number=row.pk))
        remove_device(actor, kind="key", number=row.pk)


def _security_key(stage: Stage, actor: Actor) -> SoftKey:
    """The person's key; the first time it is registered, with password and one-time code, as a person does."""
    held: dict[str, SoftKey] = stage.made.setdefault("security keys", {})
    if actor.name not in held:
        staff, challenge = StaffMember.objects.get(pk=actor.staff_id), secrets.token_bytes(32)
        key = SoftKey(settings.WEBAUTHN_RP_ID, settings.WEBAUTHN_ORIGINS[0])
        password = demo_password(stage.node.folder)
        confirm_with_code(actor, change_digest(actor, "add_key"), password, _code(actor))
        add_security_key(
            actor, challenge=challenge, answer=key.register(registration_options(staff, challenge)), label=LABEL
        )
        held[actor.name] = key
    return held[actor.name]


def _code(actor: Actor) -> str:
    """The next code of this person's authenticator: each counts once, and half a minute ahead is accepted."""
    device = TOTPDevice.objects.get(user_id=actor.staff_id)
    clock = TOTP(device.bin_key, device.step, device.t0, device.digits, device.drift)

    def unused() -> int | None:
        clock.time = time.time()
        wanted = max(clock.t(), device.last_t + 1)
        return wanted if wanted <= clock.t() + device.tolerance else None

    wanted = until(unused, "a one-time code that was not used yet")
    clock.time = float(wanted * device.step + device.t0)
    return f"{clock.token():0{device.digits}d}"
