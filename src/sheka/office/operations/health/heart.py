"""The sign of life that a process of the node gives."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from sheka.office.operations.models import Heartbeat


def beat(process: str, started_at: datetime) -> None:
    """Write that `process` (its name and number) is alive now."""
    Heartbeat.objects.update_or_create(process=process, defaults={"started_at": started_at, "beat_at": timezone.now()})
    Heartbeat.objects.filter(beat_at__lt=timezone.now() - timedelta(days=7)).delete()
