"""What waits: messages between organisations, jobs, the turns of the node; and how far the audit is anchored."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Count, Min
from django.utils import timezone

from sheka.foundation.refusals import Refused
from sheka.foundation.terms import Term
from sheka.office.audit.queries import anchored_head
from sheka.office.audit.trail import head
from sheka.office.jobs.models import JobRun, PeriodicRun
from sheka.office.jobs.registry import turns
from sheka.office.jobs.states import ALIVE
from sheka.office.messages.models import Inbox, Outbox
from sheka.office.operations.health.checks import GOOD, STILL, STOP, WAIT, Check

MESSAGES = Term("机构间消息", "Messages between organisations")
JOBS = Term("后台任务", "Jobs")
TURNS = Term("定时任务", "Turns by the clock")
AUDIT = Term("审计链", "Audit chain")
SLOW = timedelta(minutes=5)
HEAD_LATE = timedelta(minutes=30)
DEAD_SHOWN = timedelta(days=30)


def messages() -> Iterator[Check]:
    """What was not carried yet, and what a handler refused."""
    waiting = Outbox.objects.filter(delivered_at=None).aggregate(number=Count("*"), oldest=Min("sent_at"))
    unhandled = Inbox.objects.filter(handled_at=None)
    failed = unhandled.exclude(failure="").aggregate(number=Count("*"), oldest=Min("received_at"))
    if failed["number"]:
        yield Check(
            "messages",
            MESSAGES,
            STOP,
            Term(
                f"{failed['number']} 条消息处理被拒，其后的消息在等待", f"{failed['number']} refused, later ones wait"
            ),
            Term(
                "查看收件箱中的拒绝原因，由业务系统管理员排除。",
                "Read the refusal in the inbox; the administrator of that system puts it right.",
            ),
            since=failed["oldest"],
        )
        return
    number, oldest = waiting["number"], waiting["oldest"]
    text = Term(
        f"待送 {number} 条，待处理 {unhandled.count()} 条", f"{number} to be carried, {unhandled.count()} to be handled"
    )
    if oldest is not None and timezone.now() - oldest > SLOW:
        todo = Term("检查工作进程和到对方节点的线路。", "Look at the worker and at the line to the other node.")
        yield Check("messages", MESSAGES, WAIT, text, todo, since=oldest)
        return
    yield Check("messages", MESSAGES, GOOD, text)


def jobs() -> Iterator[Check]:
    """What waits and runs; what died in the last thirty days and nobody ran again."""
    alive = JobRun.objects.filter(state__in=ALIVE).aggregate(number=Count("pk"), oldest=Min("asked_at"))
    queued = JobRun.objects.filter(state="queued").aggregate(oldest=Min("asked_at"))["oldest"]
    dead = JobRun.objects.filter(state="dead", ended_at__gt=timezone.now() - DEAD_SHOWN)
    lost = dead.aggregate(number=Count("pk"), oldest=Min("ended_at"))
    text = Term(
        f"在途 {alive['number']} 项，失败 {lost['number']} 项", f"{alive['number']} under way, {lost['number']} failed"
    )
    if lost["number"]:
        todo = Term(
            "在任务页面查看失败原因，排除后再次运行。", "See the failures on the page of jobs, then run them again."
        )
        yield Check("jobs", JOBS, WAIT, text, todo, since=lost["oldest"])
    elif queued is not None and timezone.now() - queued > SLOW:
        todo = Term("检查工作进程。", "Look at the worker.")
        yield Check("jobs", JOBS, WAIT, text, todo, since=queued)
    else:
        yield Check("jobs", JOBS, GOOD, text)


def clockwork() -> Iterator[Check]:
    """The periodic jobs whose last turn failed."""
    known = turns()
    failing = list(PeriodicRun.objects.filter(name__in=known).exclude(failure="").order_by("started_at"))
    if failing:
        names = ", ".join(turn.name for turn in failing)
        yield Check(
            "turns",
            TURNS,
            WAIT,
            Term(f"上次未成功：{names}", f"Failed last time: {names}"),
            Term(f"原因：{failing[0].failure}", f"Why: {failing[0].failure}"),
            since=failing[0].started_at,
        )
        return
    last = PeriodicRun.objects.order_by("-started_at").first()
    if last is None:
        yield Check("turns", TURNS, STILL, Term("尚未运行", "None was taken yet"))
        return
    yield Check("turns", TURNS, GOOD, Term(f"{len(known)} 项按时运行", f"{len(known)} on time"), since=last.started_at)


def audit() -> Iterator[Check]:
    """How many rows no signed head outside the database covers yet."""
    try:
        anchored = anchored_head()
    except Refused as refusal:
        yield Check(
            "audit",
            AUDIT,
            STOP,
            Term(refusal.text("zh-Hans"), refusal.text("en")),
            Term(refusal.todo("zh-Hans"), refusal.todo("en")),
        )
        return
    sequence, _hash = head()
    behind = sequence - (anchored.sequence if anchored else 0)
    text = Term(f"共 {sequence} 条，{behind} 条尚无签名链头", f"{sequence} rows, {behind} without a signed head")
    late = behind > 0 and (anchored is None or timezone.now() - anchored.at > HEAD_LATE)
    if not late:
        yield Check("audit", AUDIT, GOOD, text, since=anchored.at if anchored else None)
        return
    todo = Term(
        "检查定时任务 audit.head 和加密机；可用 sheka audit head --export 立即导出。",
        "Look at the turn audit.head and at the encryption machine; sheka audit head --export exports one now.",
    )
    yield Check("audit", AUDIT, WAIT, text, todo, since=anchored.at if anchored else None)
