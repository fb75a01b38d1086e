"""The ledger on the page of the node's health (S6): when it was proved, whether it held, what is held too long."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Count, Min
from django.utils import timezone

from sheka.foundation.terms import Term
from sheka.office.jobs.models import PeriodicRun
from sheka.office.operations.health.checks import GOOD, STILL, STOP, WAIT, Check, checks
from sheka.systems.accounts.models import PendingOpen
from sheka.systems.accounts.stretches import FEW, stretches_ahead
from sheka.systems.accounts.turns import VERIFY

TITLE = Term("总账核验", "Proof of the ledger")
HELD = Term("预留到期释放", "Release of what is held")
ROOM = Term("分录分区", "Room for entries")
LATE = timedelta(hours=36)
SLOW = timedelta(seconds=30)


@checks("ledger", TITLE)
def ledger() -> Iterator[Check]:
    """The last turn that proved the books. A ledger that does not hold is the gravest state there is."""
    last = PeriodicRun.objects.filter(name=VERIFY, ended_at__isnull=False).first()
    if last is None:
        yield Check("ledger", TITLE, STILL, Term("尚未核验", "Not proved yet"))
    elif last.failure:
        yield Check(
            "ledger",
            TITLE,
            STOP,
            Term(f"核验未通过：{last.failure}", f"It does not hold: {last.failure}"),
            Term(
                "停止清算与调账，保护现场；运行 sheka ledger verify 查看各项。",
                "Stop clearing and adjustments, preserve the system; sheka ledger verify shows each check.",
            ),
            since=last.started_at,
        )
    elif timezone.now() - last.started_at > LATE:
        todo = Term("检查工作进程和定时任务。", "Look at the worker and the turns by the clock.")
        yield Check("ledger", TITLE, WAIT, Term("核验已过期", "Not proved lately"), todo, since=last.started_at)
    else:
        yield Check("ledger", TITLE, GOOD, Term("总账核验通过", "The ledger holds"), since=last.started_at)


@checks("held", HELD)
def held() -> Iterator[Check]:
    """Whether the worker releases in time what nobody ended."""
    now = timezone.now()
    late = PendingOpen.objects.filter(expires_at__lt=now - SLOW).aggregate(number=Count("*"), oldest=Min("expires_at"))
    if late["number"]:
        text = Term(f"{late['number']} 笔预留过期未释放", f"{late['number']} holds are past their time")
        todo = Term("检查工作进程。", "Look at the worker.")
        yield Check("held", HELD, WAIT, text, todo, since=late["oldest"])
        return
    yield Check("held", HELD, GOOD, Term("无过期未释放的预留", "Nothing is held past its time"))


@checks("stretches", ROOM)
def stretches() -> Iterator[Check]:
    """Whether entries have a place for a day at least: without one nothing can be booked."""
    ahead = stretches_ahead()
    text = Term(f"已备 {ahead} 个分区", f"{ahead} stretches are ready")
    todo = Term("检查工作进程；它每十分钟准备一次。", "Look at the worker: it makes them every ten minutes.")
    if ahead < FEW:
        yield Check("stretches", ROOM, WAIT if ahead else STOP, text, todo)
    else:
        yield Check("stretches", ROOM, GOOD, text)
