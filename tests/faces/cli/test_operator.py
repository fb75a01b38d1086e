"""What an operator types at the machine of a node: `sheka audit`, `sheka jobs`, `sheka node status`."""

from __future__ import annotations

import shutil

import pytest
from django.conf import settings
from tests.support.organisations import appoint, installer, tree  # noqa: F401 - fixtures
from typer.testing import CliRunner

from sheka.faces.cli.main import application
from sheka.foundation.calendar import install_calendar
from sheka.foundation.crypto.sm2 import generate_private, public_of, sign
from sheka.foundation.refusals import Code, Refused
from sheka.office.audit import heads
from sheka.office.audit.models import Event
from sheka.office.audit.trail import head, record
from sheka.office.jobs import registry
from sheka.office.jobs.actions.start_job import start_job
from sheka.office.jobs.models import JobRun
from sheka.office.jobs.registry import job
from sheka.office.jobs.runner import perform
from sheka.office.staff.permissions import Permission

pytestmark = pytest.mark.django_db


class Machine:
    """A key that signs as the encryption machine's device key does."""

    private = generate_private()
    public = public_of(private)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def public_key(self):
        return self.public

    def sign(self, message):
        return sign(self.private, message)


@pytest.fixture
def sheka(monkeypatch):
    """sheka(word, …) → exit status and output of a command on this test's node."""
    monkeypatch.setattr(heads, "signing_machine", Machine)
    monkeypatch.setenv("COLUMNS", "200")
    shutil.rmtree(heads.folder_of_heads(), ignore_errors=True)

    def run(*words):
        result = CliRunner().invoke(application(), [*map(str, words), "--config", str(settings.NODE.path)])
        if isinstance(result.exception, Refused):
            raise result.exception
        return result.exit_code, result.output

    yield run
    install_calendar()
    shutil.rmtree(heads.folder_of_heads(), ignore_errors=True)


@pytest.fixture
def trail(installer, tree):  # noqa: F811
    return head()


def test_the_head_is_shown_exported_and_verified(sheka, trail):
    assert sheka("audit", "head") == (0, f"{trail[0]} {trail[1].hex()}\n")
    status, output = sheka("audit", "verify")
    assert (status, f"其后 {trail[0]} 条尚无链头佐证" in output) == (0, True), output
    status, output = sheka("audit", "head", "--export")
    assert (status, "heads-" in output) == (0, True)
    status, output = sheka("audit", "verify")
    assert status == 0, output
    assert f"已锚定至 anchored up to {trail[0]}" in output
    status, output = sheka("audit", "head")
    assert "上次导出 last exported" in output


@pytest.mark.django_db(transaction=True)
def test_a_finding_is_told_in_words_with_status_one(sheka, trail, superuser):
    sheka("audit", "head", "--export")
    with superuser() as outside:
        outside.execute("SET session_replication_role = replica")
        outside.execute(f"UPDATE audit_event SET facts = '{{}}' WHERE sequence = {trail[0] - 1}")
        outside.execute(f"DELETE FROM audit_event WHERE sequence = {trail[0]}")
    status, output = sheka("audit", "verify")
    assert status == 1
    assert "the row was edited" in output
    assert "the tail was cut" in output


def test_heads_of_another_key_are_foreign(sheka, trail, tmp_path):
    sheka("audit", "head", "--export")
    kept = shutil.copytree(heads.folder_of_heads(), tmp_path / "away")
    assert sheka("audit", "verify", "--export", kept, "--public", Machine.public.hex())[0] == 0
    status, output = sheka("audit", "verify", "--export", kept, "--public", public_of(generate_private()).hex())
    assert status == 1
    assert "not signed by this node" in output
    assert sheka("audit", "verify", "--public", "not hex")[0] == 2


@pytest.fixture
def run(appoint, monkeypatch):  # noqa: F811
    """A dead job of an auditor."""

    def broken(actor, progress):
        raise ValueError

    monkeypatch.setattr(registry, "_jobs", {})
    job("test.broken", title_zh="坏", title_en="Broken", permission=Permission.AUDIT_READ)(broken)
    made = start_job(appoint("shen", "460100", "auditor"), "test.broken")
    perform(made.pk, made.queue_id)
    return made


def test_jobs_are_listed_shown_run_again_and_cancelled(sheka, run):
    status, output = sheka("jobs", "list", "--state", "dead")
    assert (status, "test.broken" in output) == (0, True)
    status, output = sheka("jobs", "show", run.pk)
    assert status == 1, "a job that ended without its result"
    assert "3503" in output
    assert sheka("jobs", "retry", run.pk)[0] == 0
    status, output = sheka("jobs", "cancel", run.pk)
    assert (status, "cancelled" in output) == (0, True)
    assert JobRun.objects.get().state == "cancelled"
    assert Event.objects.filter(event="job.cancelled", actor__startswith="process:operator:").count() == 1
    with pytest.raises(Refused) as refused:
        sheka("jobs", "cancel", run.pk)
    assert refused.value.code is Code.STATE_FORBIDS


def test_show_follows_a_job_to_its_end(sheka, run, monkeypatch):
    JobRun.objects.update(state="running", done=1, total=4)
    monkeypatch.setattr("time.sleep", lambda _seconds: JobRun.objects.update(state="done", result={"rows": 4}))
    status, output = sheka("jobs", "show", run.pk, "--follow")
    assert status == 0, output
    assert "rows" in output


def test_the_status_of_a_node_says_what_to_act_on(sheka, tree, installer):  # noqa: F811
    record(installer, "test.event", "thing:1")
    status, output = sheka("node", "status")
    assert status == 1, "no worker and no switch run beside a test"
    assert "No sign of life" in output
    assert "PostgreSQL" in output
