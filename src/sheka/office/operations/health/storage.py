"""The database, its clock, and the room that is left."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.utils import timezone

from sheka.foundation.terms import Term
from sheka.office.operations.health.checks import GOOD, NOTHING, STOP, WAIT, Check

DATABASE = Term("数据库", "Database")
CLOCK = Term("时钟", "Clock")
DISK = Term("磁盘", "Disk")
GIB = 2**30
LITTLE, NONE_LEFT = 5 * GIB, GIB
CROWDED = 0.8
LONG = timedelta(minutes=10)
OFF, FAR_OFF = timedelta(seconds=1), timedelta(seconds=5)


def database() -> Iterator[Check]:
    """Version, size, connections, the oldest open transaction, replication slots that hold the log back."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('server_version'), pg_database_size(current_database()),"
            " (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),"
            " current_setting('max_connections')::int,"
            " (SELECT min(xact_start) FROM pg_stat_activity WHERE datname = current_database()),"
            " (SELECT count(*) FROM pg_replication_slots WHERE NOT active), pg_postmaster_start_time()"
        )
        version, size, used, most, oldest, idle_slots, started = cursor.fetchone()
    text = Term(
        f"PostgreSQL {version}，{size / GIB:.2f} GiB，连接 {used}/{most}",
        f"PostgreSQL {version}, {size / GIB:.2f} GiB, {used} of {most} connections",
    )
    state, todo = GOOD, NOTHING
    if used > CROWDED * most:
        state, todo = (
            WAIT,
            Term("连接将用尽：减少进程或增加上限。", "Connections run out: fewer processes or a higher limit."),
        )
    elif oldest is not None and timezone.now() - oldest > LONG:
        state, todo = (
            WAIT,
            Term(
                f"有事务自 {timezone.localtime(oldest):%H:%M} 起未结束，请查明。",
                f"A transaction has been open since {timezone.localtime(oldest):%H:%M}: find out why.",
            ),
        )
    elif idle_slots:
        state, todo = (
            WAIT,
            Term(
                f"{idle_slots} 个复制槽无人读取，日志会占满磁盘。",
                f"{idle_slots} replication slots are read by nobody.",
            ),
        )
    yield Check("database", DATABASE, state, text, todo, since=started)


def clock() -> Iterator[Check]:
    """This machine's clock against the database's."""
    with connection.cursor() as cursor:
        before = timezone.now()
        cursor.execute("SELECT clock_timestamp()")
        theirs, after = cursor.fetchone()[0], timezone.now()
    apart = max(before - theirs, theirs - after, timedelta(0))
    milliseconds = round(apart.total_seconds() * 1000)
    text = Term(f"与数据库相差 {milliseconds} 毫秒", f"{milliseconds} ms apart from the database")
    if apart < OFF:
        yield Check("clock", CLOCK, GOOD, text)
        return
    todo = Term("请校准时间服务（NTP）。", "Put the time service (NTP) right.")
    yield Check("clock", CLOCK, STOP if apart > FAR_OFF else WAIT, text, todo)


def disk() -> Iterator[Check]:
    """The room that is left where the node writes."""
    room = shutil.disk_usage(settings.NODE.folder)
    text = Term(
        f"剩余 {room.free / GIB:.0f} GiB（共 {room.total / GIB:.0f} GiB）",
        f"{room.free / GIB:.0f} GiB free of {room.total / GIB:.0f} GiB",
    )
    if room.free > LITTLE:
        yield Check("disk", DISK, GOOD, text)
        return
    todo = Term("清理或扩容磁盘；写满后节点停止办理。", "Make room: a full disk stops the node.")
    yield Check("disk", DISK, WAIT if room.free > NONE_LEFT else STOP, text, todo)
