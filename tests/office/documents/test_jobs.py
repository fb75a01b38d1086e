"""The turns of the clock: the nightly sweep, and the disposal as a job."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone
from tests.support.files import picture

from sheka.foundation.refusals import Code
from sheka.office.documents import store
from sheka.office.documents.actions.keep_document import keep_document
from sheka.office.documents.jobs import sweep_the_store
from sheka.office.documents.models import Document
from sheka.office.jobs.actions.start_job import start_job
from sheka.office.jobs.runner import perform

pytestmark = pytest.mark.django_db


@pytest.fixture
def kept(clerk):
    return keep_document(clerk, kind="id_card_copy", subject="exchange:H1", filename="a.jpg", content=picture())


def test_the_sweep_is_silent_when_all_is_well_and_tells_what_is_missing(kept, refused):
    sweep_the_store()
    store.path_of(kept.stored).unlink()
    assert str(kept.pk) in refused(Code.DOCUMENT_MISSING, sweep_the_store).text("en")


def test_the_job_disposes_of_what_is_due_and_says_how_many(kept, supervisor):
    with time_machine.travel(timezone.now() + timedelta(days=366 * 5 + 2)):
        run = start_job(supervisor, "documents.dispose")
        run.refresh_from_db()
        perform(run.pk, run.queue_id)
    run.refresh_from_db()
    assert run.state == "done" and run.result == {"disposed": 1}
    assert Document.objects.get().state == "disposed"
