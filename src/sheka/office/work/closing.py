"""An organisation is not closed while work waits there."""

from __future__ import annotations

from sheka.office.organisations.closing import keeps_open
from sheka.office.work.models import WorkItem
from sheka.office.work.states import NOT_DONE


@keeps_open("未办结的工作", "open work")
def open_work_items(code: str) -> int:
    return WorkItem.objects.filter(organisation_id=code, state__in=NOT_DONE).count()
