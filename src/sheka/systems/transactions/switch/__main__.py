"""`python -m sheka.systems.transactions.switch`: start the switch, say where it listens, run until SIGTERM."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys

import asyncpg
import uvloop

from sheka.foundation.refusals import Refused
from sheka.systems.transactions.switch.protection import require_protection
from sheka.systems.transactions.switch.server import Switch
from sheka.systems.transactions.switch.settings import SwitchSettings, read_settings


async def run(settings: SwitchSettings) -> None:
    """Serve until a signal asks us to stop."""
    await require_protection(settings.dsn)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    switch = Switch(settings)
    host, port = await switch.start()
    sys.stdout.write(f"listening on {host}:{port}\n")
    sys.stdout.flush()
    await stop.wait()
    await switch.stop()


def main() -> int:
    """Exit status 0 after an orderly stop, 1 with one sentence when it cannot start."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    try:
        settings = read_settings(sys.argv[1:])
        uvloop.run(run(settings))
    except Refused as refusal:
        sys.stderr.write(f"{refusal.text('zh-Hans')}\n{refusal}\n")
        return 1
    except (OSError, asyncpg.PostgresError) as error:
        sys.stderr.write(f"the switch cannot start: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
