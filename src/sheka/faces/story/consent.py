"""How the people of the story consent: each proves presence by password and one-time code for what is decided."""

from __future__ import annotations

import time

from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from sheka.faces.story.cast import acting, demo_password
from sheka.faces.story.stage import Stage, until
from sheka.office.approvals.actions.decide import decide
from sheka.office.approvals.models import Proposal
from sheka.office.staff.actors import Actor
from sheka.office.staff.confirmations import confirm_with_code


def approves(stage: Stage, login: str, seen: Proposal, reason: str = "") -> Proposal:
    """This member of the cast reads the request as it stands, proves presence, and approves."""
    actor = acting(login)
    if seen.step_now.confirm:
        presence(stage, actor, seen.digest)
    return decide(actor, proposal_id=seen.pk, digest=seen.digest, step=seen.step, verdict="approve", reason=reason)


def presence(stage: Stage, actor: Actor, digest: str) -> None:
    """This person proves presence for exactly this digest."""
    confirm_with_code(actor, digest, demo_password(stage.node.folder), _code(actor))


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
