"""Steps at the machine itself: attending, looking at it, its fingerprint, comparing, signing, its back-up (K6)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings

from sheka.equipment.server.files import make_folder, write_private
from sheka.foundation.crypto.sm3 import sm3
from sheka.foundation.refusals import Code, Refused
from sheka.systems.ceremonies.effects import effect
from sheka.systems.ceremonies.effects.shares import keep_for_holders, receivers
from sheka.systems.ceremonies.run import Run, device_of

SHORT = 8
"""Characters of a fingerprint that are typed."""


@effect("attend")
def attend(run: Run) -> dict[str, Any]:
    """Presence was proved for the script and the roster."""
    return {"agreed": run.ceremony.digest}


@effect("sign")
def sign(run: Run) -> dict[str, Any]:
    """Presence was proved for everything that was done before the signatures."""
    return {"signed": run.facts["record"]}


@effect("check_machine")
def check_machine(run: Run) -> dict[str, Any]:
    """What the machine says about itself; its own log must hold. A sealed or new one has no fingerprint yet."""
    machine = device_of(run.ceremony)
    found = machine.describe()
    if not found.sealed:
        finding = machine.verify_log()
        if not finding.ok:
            raise Refused(Code.MACHINE_LOG_BROKEN, entry=finding.broken_at, reason=finding.reason)
    run.facts["fingerprint"] = found.fingerprint
    return {
        "product": found.product,
        "version": found.version,
        "driver": found.driver,
        "certificate": found.certificate,
        "fingerprint": found.fingerprint,
        "keys": found.keys,
        "log_entries": found.log_entries,
        "log_head": found.log_head,
        "sealed": found.sealed,
    }


@effect("confirm_fingerprint")
def confirm_fingerprint(run: Run) -> dict[str, Any]:
    """The last eight characters, typed from the panel or the register. Raises Refused(CEREMONY_FINGERPRINT)."""
    fingerprint = run.device.describe().fingerprint
    if not fingerprint or run.need("fingerprint").replace(" ", "").upper() != fingerprint[-SHORT:]:
        raise Refused(Code.CEREMONY_FINGERPRINT)
    run.facts["fingerprint"] = fingerprint
    return {"fingerprint": fingerprint}


@effect("compare")
def compare(run: Run) -> dict[str, Any]:
    """The check values agree with what this person sees at the machine or has on paper.

    Raises Refused: CEREMONY_VALUE for a typed value that the machine did not give.
    """
    typed = run.given.get("check_value", "").replace(" ", "").upper()
    values = {row["check_value"] for row in run.facts.get("values", [])}
    if typed and typed not in values:
        raise Refused(Code.CEREMONY_VALUE, got=typed[:16])
    return {"compared": len(values), "typed": typed}


@effect("back_up")
def back_up(run: Run) -> dict[str, Any]:
    """The whole store as one sealed file; the shares that open it, each for its holder."""
    run.carry_out_plan()
    content, shares = run.device.back_up(run.threshold, receivers(run))
    path = backup_path(run.ceremony.number)
    make_folder(path.parent, mode=0o700)
    write_private(path, content.hex())
    keep_for_holders(run, shares)
    return {"file": path.name, "content": sm3(content).hex(), "threshold": run.threshold, "holders": len(shares)}


@effect("restore")
def restore(run: Run) -> dict[str, Any]:
    """Hand the file over to a new machine; its holders open it then. Raises Refused(CEREMONY_ASKED)."""
    run.carry_out_plan()
    content = backup_named(run.ceremony.asked["backup"])
    progress = device_of(run.ceremony).restore(content)
    run.facts["fingerprint"] = ""
    return {"file": run.ceremony.asked["backup"], "content": sm3(content).hex(), "needed": progress.needed}


def backup_folder() -> Path:
    """Where back-ups of the node's machines are kept until they are carried away."""
    return Path(settings.NODE.folder) / "machine-backups"


def backup_path(number: str) -> Path:
    """The file that the ceremony of this number made; it may be carried away and brought back."""
    return backup_folder() / f"{number}.backup"


def backup_named(number: str) -> bytes:
    """Its content. Raises Refused(CEREMONY_ASKED)."""
    try:
        return bytes.fromhex(backup_path(number).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise Refused(Code.CEREMONY_ASKED, field="backup", reason=type(error).__name__) from None
