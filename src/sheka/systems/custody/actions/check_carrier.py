"""Look at a carrier that came back, or find one faulty (K7)."""

from __future__ import annotations

from sheka.foundation.terms import Term
from sheka.office.actions import action
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.custody.ledger import lock_carrier, move, must_be_free, must_hold, must_say, note
from sheka.systems.custody.models import Carrier
from sheka.systems.custody.reporting import report
from sheka.systems.custody.waiting import checked

OPENED = Term("封签被动", "The seal was broken")
OTHER_CONTENT = Term("内容与登记不符", "The content is not what the register says")


@action(Permission.CARRIER_KEEP)
def check_carrier(actor: Actor, serial: str, *, seal_whole: bool, content_same: bool, remark: str = "") -> Carrier:
    """A custodian looked at seal and content: in order, it lies in the store again; else it is stopped and reported.

    Raises Refused: CARRIER_UNKNOWN, CUSTODY_ENTRY (what is wrong has to be said), STATE_FORBIDS.
    """
    found = lock_carrier(actor, serial)
    if seal_whole and content_same:
        move(actor, [found], "pass*", "checked")
        checked(actor, found)
        note(actor, "checked", [found], seal_whole=True, content_same=True)
        return found
    said = must_say(Term("所见情况", "What is wrong"), remark)
    move(actor, [found], "fail", "failed", reason=said)
    checked(actor, found)
    note(actor, "checked", [found], seal_whole=seal_whole, content_same=content_same, remark=said)
    what = OPENED if not seal_whole else OTHER_CONTENT
    about = Term(
        f"{what.zh}：载体 {serial} 归还查验不合格。",
        f"{what.en}: the carrier {serial} failed its check on return.",
    )
    report(actor, "other", [found], about, said)
    return found


@action(Permission.CARRIER_TAKE)
def report_faulty(actor: Actor, serial: str, reason: str) -> Carrier:
    """It cannot be read or written any more; whoever holds it says so, and it goes to destruction.

    Raises Refused: CARRIER_UNKNOWN, CARRIER_STOPPED, CARRIER_NOT_IN_HAND, CUSTODY_ENTRY, STATE_FORBIDS.
    """
    said = must_say(Term("故障情况", "What is wrong"), reason)
    found = lock_carrier(actor, serial)
    must_hold(actor, found)
    must_be_free(found)
    move(actor, [found], "fail", "failed", reason=said)
    checked(actor, found)
    note(actor, "failed", [found], reason=said)
    return found
