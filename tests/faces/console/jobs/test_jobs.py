"""Jobs on a page: what waits, stop, run again, all of it without script too."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect


@pytest.fixture
def waiting(surf):
    """A job of the auditor that no worker has taken: its page, in a language."""

    def start(language, **options):
        page = surf.signed_in("haikou-auditor", language, **options)
        page.goto("/audit")
        page.locator("form.anchor button").click()
        page.wait_for_url(re.compile(r"/jobs/\d+$"))
        return page

    return start


def test_a_job_that_waits_is_stopped_and_run_again(waiting, surf):
    page = waiting("en")
    expect(page.locator("#job-progress")).to_contain_text("In the queue")
    page.get_by_role("button", name="Stop this job").click()
    expect(page.locator(".notice--good")).to_contain_text("cancelled")
    expect(page.locator("#job-progress")).to_contain_text("Stopped")
    page.get_by_role("button", name="Run again").click()
    expect(page.locator("#job-progress")).to_contain_text("In the queue")
    page.goto("/jobs?state=queued")
    expect(page.locator("tbody tr").first).to_contain_text("Verification of the audit chain")


def test_it_works_without_script(waiting):
    page = waiting("zh", java_script_enabled=False)
    page.get_by_role("button", name="停止任务").click()
    expect(page.locator("#job-progress")).to_contain_text("已停止")


def test_another_persons_job_is_not_there_but_for_an_administrator(waiting, surf):
    number = waiting("en").url.rsplit("/", 1)[-1]
    planner = surf.signed_in("haikou-planner", "en")
    planner.goto(f"/jobs/{number}")
    expect(planner.locator("h1")).to_contain_text("3502")
    planner.goto("/jobs")
    expect(planner.locator(".empty h2")).to_have_text("No jobs")
    administrator = surf.signed_in("haikou-system", "en")
    administrator.goto(f"/jobs/{number}")
    expect(administrator.get_by_role("button", name="Stop this job")).to_be_visible()
