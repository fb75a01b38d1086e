"""How the switch does (S4): rates, response codes, latencies of the last ten minutes or day, and what is alarming.

Answers are those of the institutions in the reader's reach; lines, queue, batches and processor time are the process's
and of the whole node.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Max
from django.utils import timezone

from sheka.foundation.terms import Term
from sheka.office.organisations.models import Organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.transactions.pulse import quantile
from sheka.systems.transactions.response_codes import response_code
from sheka.systems.transactions.watch_models import ProcessPulse, Pulse
from sheka.systems.transactions.watch_policy import WatchPolicy, watch_policy

SILENT = -1
RECENT = timedelta(minutes=5)
"""What alarms look at."""
SPANS: dict[str, tuple[timedelta, timedelta]] = {
    "10m": (timedelta(minutes=10), timedelta(seconds=10)),
    "24h": (timedelta(hours=24), timedelta(minutes=15)),
}
"""Name → how far back, and how much one point of the charts holds."""


@dataclass
class Point:
    """A stretch of time. Counts are sums, `lines` and `queue` the most, `machine` and `base` microseconds in all."""

    at: datetime
    seconds: float
    answers: Counter[tuple[int, int]] = field(default_factory=Counter)
    latency: Counter[int] = field(default_factory=Counter)
    lines: Counter[str] = field(default_factory=Counter)
    queue: int = 0
    batches: int = 0
    requests: int = 0
    machine: int = 0
    base: int = 0
    cpu: int = 0
    kept: int = 0
    dropped: int = 0

    @property
    def number(self) -> int:
        """Requests that were answered or given up."""
        return sum(self.answers.values())

    @property
    def approved(self) -> int:
        return sum(count for (_verb, refusal), count in self.answers.items() if refusal == 0)

    @property
    def refused(self) -> int:
        return self.number - self.approved

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.number / self.seconds

    @property
    def p50(self) -> float | None:
        """Milliseconds."""
        return _milliseconds(quantile(self.latency, 0.5))

    @property
    def p99(self) -> float | None:
        """Milliseconds."""
        return _milliseconds(quantile(self.latency, 0.99))

    @property
    def open_lines(self) -> int:
        return sum(self.lines.values())

    @property
    def machine_ms(self) -> float:
        """What a batch waited for the machine, on average."""
        return self.machine / 1000 / self.batches if self.batches else 0.0

    @property
    def database_ms(self) -> float:
        return self.base / 1000 / self.batches if self.batches else 0.0

    @property
    def batch_size(self) -> float:
        return self.requests / self.batches if self.batches else 0.0

    def take(self, other: Point) -> None:
        """Add what another stretch holds."""
        self.answers.update(other.answers)
        self.latency.update(other.latency)
        self.lines |= other.lines
        self.queue = max(self.queue, other.queue)
        for name in ("batches", "requests", "machine", "base", "cpu", "kept", "dropped"):
            setattr(self, name, getattr(self, name) + getattr(other, name))


def _milliseconds(microseconds: float | None) -> float | None:
    return None if microseconds is None else microseconds / 1000


@dataclass(frozen=True, slots=True)
class CodeCount:
    """How often a response was given: code of field 39, refusal number (0 approved, -1 no answer)."""

    code: str
    refusal: int
    number: int
    share: float


@dataclass(frozen=True, slots=True)
class ProcessNow:
    """A switch process: when it last gave a sign, and its last minute."""

    name: str
    seen_at: datetime
    alive: bool
    minute: Point


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that is over policy. `kind` is stable; `text` says it."""

    kind: str
    text: Term


@dataclass(frozen=True, slots=True)
class Board:
    """Everything that the live board shows."""

    span: str
    points: list[Point]
    whole: Point
    codes: list[CodeCount]
    verbs: list[tuple[int, int]]
    processes: list[ProcessNow]
    alarms: list[Alarm]
    at: datetime


def board_of(actor: Actor, span: str = "10m", now: datetime | None = None) -> Board:
    """The board for this reader. Raises Refused(PERMISSION_MISSING)."""
    actor.require(Permission.SWITCH_VIEW)
    now = now or timezone.now()
    back, step = SPANS[span]
    points = _points(actor, now, back, step)
    whole = Point(points[0].at, back.total_seconds())
    for point in points:
        whole.take(point)
    recent = _points(actor, now, RECENT, RECENT)[-1]
    processes = _processes(now)
    return Board(
        span, points, whole, _codes(whole), _verbs(whole), processes, _alarms(recent, processes, now, actor), now
    )


def _points(actor: Actor, now: datetime, back: timedelta, step: timedelta) -> list[Point]:
    """Stretches of `step` up to now, the oldest first; minutes where they were summed, else seconds."""
    start = now - back
    points = [Point(start + step * n, step.total_seconds()) for n in range(round(back / step))]
    for at, found in _moments(actor, start, now, by_minutes=step > timedelta(minutes=1)):
        place = int((at - start) / step)
        if 0 <= place < len(points):
            points[place].take(found)
    return points


def _moments(actor: Actor, start: datetime, end: datetime, *, by_minutes: bool) -> Iterator[tuple[datetime, Point]]:
    summed = None
    if by_minutes:
        summed = ProcessPulse.objects.filter(span=60, at__gte=start).aggregate(last=Max("at"))["last"]
    seconds_from = start if summed is None else summed + timedelta(minutes=1)
    places = Organisation.objects.filter(path__within=actor.path).values("code")
    for span, since, until in ((60, start, summed), (1, seconds_from, end)):
        if until is None:
            continue
        for row in Pulse.objects.filter(span=span, at__gte=since, at__lte=until, organisation_id__in=places):
            yield row.at, Point(row.at, span, _answers(row.answers), Counter(_numbers(row.latency)))
        for one in ProcessPulse.objects.filter(span=span, at__gte=since, at__lte=until):
            yield one.at, _of_process(one)


def _of_process(row: ProcessPulse) -> Point:
    return Point(
        row.at,
        row.span,
        lines=Counter({row.process: row.lines}),
        queue=row.queue,
        batches=row.batches,
        requests=row.requests,
        machine=row.machine,
        base=row.base,
        cpu=row.cpu,
        kept=row.kept,
        dropped=row.dropped,
    )


def _answers(kept: dict[str, int]) -> Counter[tuple[int, int]]:
    pairs = ((key.split(":"), count) for key, count in kept.items())
    return Counter({(int(verb), int(refusal)): count for (verb, refusal), count in pairs})


def _numbers(kept: dict[str, int]) -> dict[int, int]:
    return {int(bucket): count for bucket, count in kept.items()}


def _codes(whole: Point) -> list[CodeCount]:
    counts: Counter[int] = Counter()
    for (_verb, refusal), count in whole.answers.items():
        counts[refusal] += count
    total = sum(counts.values())
    return [
        CodeCount("—" if refusal == SILENT else response_code(refusal), refusal, count, count / total)
        for refusal, count in counts.most_common()
    ]


def _verbs(whole: Point) -> list[tuple[int, int]]:
    counts: Counter[int] = Counter()
    for (verb, _refusal), count in whole.answers.items():
        counts[verb] += count
    return counts.most_common()


def _processes(now: datetime) -> list[ProcessNow]:
    """Processes that gave a sign in the last hour, those that live first."""
    limit = watch_policy().silence_of_process
    minutes: dict[str, Point] = defaultdict(lambda: Point(now - timedelta(minutes=1), 60.0))
    seen: dict[str, datetime] = {}
    for name, last in (
        ProcessPulse.objects.filter(span=1, at__gte=now - timedelta(hours=1))
        .order_by()
        .values_list("process")
        .annotate(last=Max("at"))
    ):
        seen[name] = last
    for row in ProcessPulse.objects.filter(span=1, at__gte=now - timedelta(minutes=1)):
        point = _of_process(row)
        point.lines = Counter({row.process: row.lines})
        minutes[row.process].take(point)
    found = [ProcessNow(name, at, (now - at).total_seconds() <= limit, minutes[name]) for name, at in seen.items()]
    return sorted(found, key=lambda one: (not one.alive, one.name))


def _alarms(recent: Point, processes: list[ProcessNow], now: datetime, actor: Actor) -> list[Alarm]:
    policy = watch_policy()
    return [
        *_alarms_of_answers(recent, policy),
        *_alarms_of_processes(processes, policy),
        *_alarm_of_silence(processes, policy, now, actor),
    ]


def _alarms_of_answers(recent: Point, policy: WatchPolicy) -> Iterator[Alarm]:
    share = recent.refused / recent.number if recent.number else 0.0
    if recent.number >= policy.refused_least and share > policy.refused_share:
        yield Alarm(
            "refusals",
            Term(f"近5分钟拒绝率 {share:.0%}，高于 {policy.refused_share:.0%}",
                 f"{share:.0%} refused in five minutes, above {policy.refused_share:.0%}"),
        )  # fmt: skip
    if recent.p99 is not None and recent.p99 > policy.p99_ms:
        yield Alarm(
            "latency",
            Term(f"近5分钟 p99 {recent.p99:,.0f} 毫秒，高于 {policy.p99_ms:,}",
                 f"p99 of five minutes is {recent.p99:,.0f} ms, above {policy.p99_ms:,}"),
        )  # fmt: skip
    slow = (("machine", recent.machine_ms, policy.machine_ms, "加密机", "the encryption machine"),
            ("database", recent.database_ms, policy.database_ms, "数据库", "the database"))  # fmt: skip
    for kind, found, most, zh, en in slow:
        if found > most:
            yield Alarm(
                kind,
                Term(f"每批等待{zh} {found:,.0f} 毫秒，高于 {most:,}",
                     f"a batch waits {found:,.0f} ms for {en}, above {most:,}"),
            )  # fmt: skip
    if recent.dropped >= policy.dropped:
        yield Alarm(
            "journal",
            Term(f"近5分钟有 {recent.dropped:,} 条报文未能留存",
                 f"{recent.dropped:,} messages were not kept in five minutes"),
        )  # fmt: skip


def _alarms_of_processes(processes: list[ProcessNow], policy: WatchPolicy) -> Iterator[Alarm]:
    """None alive, of those that were there: one that was stopped beside another that runs is no alarm."""
    if processes and not any(one.alive for one in processes):
        last = max(one.seen_at for one in processes)
        said = timezone.localtime(last).strftime("%H:%M:%S")
        yield Alarm("process", Term(f"交易进程自 {said} 起没有信号", f"no sign of a switch process since {said}"))


def _alarm_of_silence(processes: list[ProcessNow], policy: WatchPolicy, now: datetime, actor: Actor) -> Iterable[Alarm]:
    """Lines are open, and nothing was asked for longer than policy says."""
    if not sum(one.minute.open_lines for one in processes if one.alive):
        return []
    window = timedelta(seconds=policy.silence)
    point = _points(actor, now, window, window)[-1]
    if point.number:
        return []
    minutes = policy.silence // 60
    return [
        Alarm("silence", Term(f"终端在线，但 {minutes} 分钟没有交易",
                              f"lines are open, but nothing was asked for {minutes} minutes"))
    ]  # fmt: skip


def dropped_lately(now: datetime | None = None) -> int:
    """Messages that no process of the node could keep in the last day: for the page of the node's health."""
    since = (now or timezone.now()) - timedelta(days=1)
    return sum(ProcessPulse.objects.filter(span=1, at__gte=since, dropped__gt=0).values_list("dropped", flat=True))
