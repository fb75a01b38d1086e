"""The processes of the node and its encryption machines."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from sheka.equipment.encryption_machine.client import EncryptionMachine
from sheka.equipment.encryption_machine.model import MachineInfo
from sheka.equipment.server.lock import running
from sheka.equipment.server.node import MachineConfig
from sheka.equipment.server.ports import answers
from sheka.foundation.refusals import Refused
from sheka.foundation.terms import Term
from sheka.office.operations.health.checks import GOOD, NOTHING, STILL, STOP, WAIT, Check
from sheka.office.operations.models import Heartbeat

SILENT = timedelta(seconds=30)
MACHINE_SECONDS = 2.0
WORKER = Term("工作进程", "Worker")
SWITCH = Term("交易进程", "Switch")
SUPERVISOR = Term("进程管理", "Supervisor")


def worker() -> Iterator[Check]:
    """The workers by their heartbeats; those silent for a day are forgotten."""
    now = timezone.now()
    beats = list(Heartbeat.objects.filter(beat_at__gt=now - timedelta(days=1)).order_by("-beat_at"))
    alive = [beat for beat in beats if now - beat.beat_at < SILENT]
    if alive:
        since = min(beat.started_at for beat in alive)
        text = Term(f"{len(alive)} 个进程运行中", f"{len(alive)} running")
        yield Check("worker", WORKER, GOOD, text, since=since)
        return
    last = beats[0].beat_at if beats else None
    yield Check(
        "worker",
        WORKER,
        STOP,
        Term("没有心跳：消息和任务停在队列中", "No sign of life: messages and jobs stay where they are"),
        Term("启动工作进程，查看 logs/worker.log。", "Start the worker; look at logs/worker.log."),
        since=last,
    )


def switch() -> Iterator[Check]:
    """The switch answers on its port."""
    place = settings.NODE.switch
    where = f"{place.host}:{place.port}"
    if answers(place.host, place.port, seconds=1.0):
        yield Check("switch", SWITCH, GOOD, Term(f"{where} 应答", f"{where} answers"))
        return
    yield Check(
        "switch",
        SWITCH,
        STOP,
        Term(f"{where} 无应答，刷卡交易中断", f"{where} does not answer: no card can pay"),
        Term("启动交易进程，查看 logs/switch.log。", "Start the switch; look at logs/switch.log."),
    )


def supervisor() -> Iterator[Check]:
    """Restarts that the supervisor of this machine counts; nothing when another program runs the processes."""
    state = running(settings.NODE.folder)
    if state["pid"] is None:
        text = Term("进程由其他程序管理", "The processes are run by another program")
        yield Check("supervisor", SUPERVISOR, STILL, text)
        return
    restarted = {row["name"]: row["restarts"] for row in state["processes"] if row["restarts"]}
    if restarted:
        names = ", ".join(f"{name} × {number}" for name, number in restarted.items())
        yield Check(
            "supervisor",
            SUPERVISOR,
            WAIT,
            Term(f"近一分钟内重启：{names}", f"Restarted within the last minute: {names}"),
            Term("查看这些进程的日志。", "Look at the logs of these processes."),
        )
        return
    number = len(state["processes"])
    yield Check("supervisor", SUPERVISOR, GOOD, Term(f"管理 {number} 个进程", f"{number} processes, none restarted"))


def machines() -> Iterator[Check]:
    """Each encryption machine describes itself; one without a type certificate is for demonstration and test only."""
    node = settings.NODE
    if not node.machines:
        yield Check(
            "machine", Term("加密机", "Encryption machine"), STILL, Term("本节点未配置", "None in the node's file")
        )
    for entry in node.machines:
        title = Term(f"加密机 {entry.name}", f"Encryption machine {entry.name}")
        secret = node.machine_secret(entry.name, "systems")
        try:
            with EncryptionMachine(
                node.machine_address(entry.name), "systems", secret, timeout=MACHINE_SECONDS
            ) as machine:
                info = machine.describe()
        except Refused as refusal:
            yield Check(
                f"machine-{entry.name}",
                title,
                STOP,
                Term(refusal.text("zh-Hans"), refusal.text("en")),
                Term(refusal.todo("zh-Hans"), refusal.todo("en")),
            )
            continue
        if info.sealed:
            yield _sealed(f"machine-{entry.name}", title, info)
            continue
        told = Term(
            f"{info.product} {info.version}，{info.keys} 个密钥，"
            + (f"商用密码产品认证 {info.certificate}" if info.certificate else "无商用密码产品认证（演示和测试用）"),
            f"{info.product} {info.version}, {info.keys} keys, "
            + (
                f"product certificate {info.certificate}" if info.certificate else "no product certificate (demo, test)"
            ),
        )
        if _shares_user(entry):
            told = Term(f"{told.zh}，与其他进程同一用户", f"{told.en}, runs as the same user as the other processes")
        uncertified = not info.certificate and not node.demo
        todo = (
            Term("生产环境须换用经认证的加密机。", "Production needs a certified machine.") if uncertified else NOTHING
        )
        yield Check(
            f"machine-{entry.name}", title, WAIT if uncertified else GOOD, told, todo, since=_moment(info.started)
        )


def _shares_user(entry: MachineConfig) -> bool:
    """Whether a machine that the node runs has no user of its own: its folder belongs to whom it runs as."""
    try:
        return bool(entry.folder) and settings.NODE.machine_folder(entry.name).stat().st_uid == os.geteuid()
    except OSError:  # the folder is not ours to see: so it is another's
        return False


def _sealed(name: str, title: Term, info: MachineInfo) -> Check:
    """Production work is refused until the custodians have come."""
    if not info.threshold:
        told = Term("全新，尚未分割给保管人", "New: not shared out to custodians yet")
        todo = Term(
            "在节点主机上运行 sheka machine share-out，或恢复备份。",
            "Run sheka machine share-out on the node, or restore a back-up.",
        )
    else:
        told = Term(
            f"已封存，保管人已到 {info.presented} 人，需要 {info.threshold} 人",
            f"Sealed: {info.presented} of the {info.threshold} custodians needed have come",
        )
        todo = Term(
            "请保管人在“加密机开封”页面提交份额。",
            "Ask the custodians to present their shares on the page Unseal the machine.",
        )
    return Check(name, title, STOP, told, todo, since=_moment(info.started))


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None
