"""The health of this node, for the page of an administrator, the terminal, and the machine that watches it."""

from __future__ import annotations

from django.conf import settings
from django.db import DatabaseError, connection

from sheka.foundation.terms import Term
from sheka.office.operations.health import processes, queues, storage
from sheka.office.operations.health.checks import GOOD, WAIT, Check, declared, taken
from sheka.office.scope import whole_node
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission

CHECKERS = (
    ("database", storage.DATABASE, storage.database),
    ("worker", processes.WORKER, processes.worker),
    ("switch", processes.SWITCH, processes.switch),
    ("machine", Term("加密机", "Encryption machine"), processes.machines),
    ("supervisor", processes.SUPERVISOR, processes.supervisor),
    ("messages", queues.MESSAGES, queues.messages),
    ("jobs", queues.JOBS, queues.jobs),
    ("turns", queues.TURNS, queues.clockwork),
    ("audit", queues.AUDIT, queues.audit),
    ("disk", storage.DISK, storage.disk),
    ("clock", storage.CLOCK, storage.clock),
)
MODE = Term("运行方式", "Mode")


def health_of_node(actor: Actor) -> list[Check]:
    """Every part with its state. Raises Refused(PERMISSION_MISSING)."""
    actor.require(Permission.SYSTEM_VIEW)
    with whole_node("the health of a node is that of all its organisations"):
        return [*taken((*CHECKERS, *declared())), mode()]


def mode() -> Check:
    """Whether this is the demo world."""
    if settings.NODE.demo:
        text = Term(
            "演示：动态口令显示在屏幕上，不得用于真实业务", "Demo: one-time codes are on screen, never for real work"
        )
        return Check("mode", MODE, WAIT, text)
    return Check("mode", MODE, GOOD, Term(f"生产节点 {settings.NODE.name}", f"Production node {settings.NODE.name}"))


def is_ready() -> bool:
    """Whether this process can serve: it reaches its database. For machines; says nothing else."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        connection.close()
        return False
    return True
