"""The worker of a node: carries messages between its organisations and runs its jobs, until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable

import django

TURN_SECONDS = 0.5
EXPIRY_SECONDS = 0.25
RESCUE_SECONDS = 5.0
PAUSE_SECONDS = 1.0
JOBS_AT_ONCE = 2
GRACE_SECONDS = 6.0
log = logging.getLogger("sheka.worker")


def main() -> None:
    """Run until SIGTERM or SIGINT. A database that is away for a while is waited for."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sheka.config.settings")
    django.setup()
    from sheka.foundation.calendar import install_calendar
    from sheka.office.database.guard import start_protected
    from sheka.office.operations.calendars import working_calendar

    start_protected()
    install_calendar(working_calendar)
    stop, broken = threading.Event(), threading.Event()

    def keep(turning: Callable[[threading.Event], None]) -> None:
        try:
            turning(stop)
        except BaseException:
            log.exception("%s broke", threading.current_thread().name)
            broken.set()
            os.kill(os.getpid(), signal.SIGTERM)

    threads = [
        threading.Thread(target=keep, args=(_carry,), name="the carrying of messages"),
        threading.Thread(target=keep, args=(_expire,), name="the clock of held money"),
    ]
    for thread in threads:
        thread.start()
    try:
        asyncio.run(_work())
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    sys.exit(1 if broken.is_set() else 0)


async def _work() -> None:
    """Run jobs until a signal comes; running ones then go back into the queue, at their next word of progress or when
    their statement is cancelled (jobs/interrupts.py).
    """
    from sheka.office.jobs.interrupts import hurry
    from sheka.office.jobs.progress import stopping

    loop, told = asyncio.get_running_loop(), asyncio.Event()

    def leave() -> None:
        if not stopping.is_set():
            stopping.set()
            threading.Thread(target=hurry, name="the hurry of jobs", daemon=True).start()
        told.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, leave)
    waiting = asyncio.create_task(told.wait())
    while not told.is_set():
        jobs = asyncio.create_task(_run_jobs())
        await asyncio.wait((jobs, waiting), return_when=asyncio.FIRST_COMPLETED)
        jobs.cancel()
        ended = (await asyncio.gather(jobs, return_exceptions=True))[0]
        if not told.is_set():
            log.warning("the queue of jobs is away: %s", ended)
            await asyncio.wait((waiting,), timeout=PAUSE_SECONDS)


async def _run_jobs() -> None:
    """One life of procrastinate's worker: it ends when the database goes away, or when it is cancelled."""
    from sheka.office.jobs.queue import HEARTBEAT_SECONDS, QUEUE, STALLED_SECONDS, worker_app

    worker = worker_app()
    async with worker.open_async():
        await worker.run_worker_async(
            queues=[QUEUE],
            concurrency=JOBS_AT_ONCE,
            install_signal_handlers=False,
            fetch_job_polling_interval=2.0,
            shutdown_graceful_timeout=GRACE_SECONDS,
            delete_jobs="always",
            update_heartbeat_interval=HEARTBEAT_SECONDS,
            stalled_worker_timeout=STALLED_SECONDS,
        )


def _carry(stop: threading.Event) -> None:
    """Carry messages twice a second; every five look for jobs whose worker is gone and requests whose time is up."""
    from django.db import InterfaceError, OperationalError, close_old_connections, connection
    from django.utils import timezone

    from sheka.office.approvals.actions.expire import expire_due
    from sheka.office.jobs.queue import release_stale_locks, rescue
    from sheka.office.messages.delivery import carry_all
    from sheka.office.operations.health.heart import beat
    from sheka.office.scope import whole_node

    name, started_at = f"worker {os.getpid()}", timezone.now()
    turns_until_rescue = 0
    with whole_node("the worker carries the messages of every organisation of the node"):
        while not stop.is_set():
            try:
                handled = carry_all(stop.is_set)
                if handled:
                    log.info("%s messages handled", handled)
                if turns_until_rescue == 0:
                    beat(name, started_at)
                    found = rescue()
                    release_stale_locks()
                    expire_due()
                    if found:
                        log.warning("%s jobs had lost their worker", found)
                turns_until_rescue = (turns_until_rescue or round(RESCUE_SECONDS / TURN_SECONDS)) - 1
            except (OperationalError, InterfaceError) as error:
                log.warning("the database is away: %s", error)
                connection.close()
            close_old_connections()
            stop.wait(TURN_SECONDS)
    connection.close()


def _expire(stop: threading.Event) -> None:
    """Release held money whose time has run out, on a connection of its own: no job and no message makes it late."""
    from django.db import InterfaceError, OperationalError, close_old_connections, connection

    from sheka.foundation.refusals import Refused
    from sheka.systems.accounts.actions.expire_pending import AT_ONCE, expire_due

    while not stop.is_set():
        try:
            if expire_due() == AT_ONCE:
                continue
        except (OperationalError, InterfaceError) as error:
            log.warning("the database is away: %s", error)
            connection.close()
        except Refused as refusal:
            log.error("held money is not released: %s", refusal)
            stop.wait(RESCUE_SECONDS)
        close_old_connections()
        stop.wait(EXPIRY_SECONDS)
    connection.close()


if __name__ == "__main__":
    main()
