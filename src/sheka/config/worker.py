"""The worker of a node: carries messages between the organisations that it hosts, until it is told to stop."""

from __future__ import annotations

import logging
import os
import signal
import threading
from types import FrameType

import django

TURN_SECONDS = 0.5
log = logging.getLogger("sheka.worker")


def main() -> None:
    """Run until SIGTERM or SIGINT. A database that is away for a while is waited for."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sheka.config.settings")
    django.setup()

    from django.db import OperationalError, close_old_connections, connection

    from sheka.office.messages.delivery import carry_all

    stop = threading.Event()

    def leave(signum: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    while not stop.is_set():
        try:
            handled = carry_all()
            if handled:
                log.info("%s messages handled", handled)
        except OperationalError as error:
            log.warning("the database is away: %s", error)
            connection.close()
        close_old_connections()
        stop.wait(TURN_SECONDS)


if __name__ == "__main__":
    main()
