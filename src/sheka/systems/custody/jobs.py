"""The clock of custody: hand-overs lapse, bags and returns run late, counts, reports and filings come due (K6, K7)."""

from __future__ import annotations

import logging

from sheka.office.jobs.registry import periodic
from sheka.systems.custody.clock import look_at_counts, look_at_filings, look_at_hand_overs, look_at_parties
from sheka.systems.custody.drawer import destroy_virtual, virtual_serials
from sheka.systems.custody.models import Carrier

log = logging.getLogger("sheka.custody")


@periodic("custody.hand_overs", cron="*/5 * * * *")
def hand_overs() -> None:
    """Every five minutes: what the second person did not confirm in time lapses; late bags are told."""
    look_at_hand_overs()


@periodic("custody.days", cron="10 17 * * *")
def days() -> None:
    """At ten past one in the morning, Beijing time: what came due with the day."""
    look_at_parties()
    look_at_counts()
    look_at_filings()
    gone = Carrier.objects.filter(state="destroyed", serial__in=virtual_serials()).values_list("serial", flat=True)
    if left := destroy_virtual(gone):
        log.info("%s virtual carriers destroyed that a stop had left", left)
