"""The console as a whole: every link leads somewhere its reader may go, every page can be reached, each is whole.

Issue 3: axe-core with zero violations on every page in both languages, run in Chromium over the crawled console.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest
from tests.support.crawl import LOGINS, pages, walks
from tests.support.pages import faults_of
from tests.support.world import World

UNLINKED = {
    "console:accounts_file": "accounts/test_account_pages.py: a file of deposits that was sent",
    "console:accounts_file_state": "accounts/test_account_pages.py: asked by the page itself",
    "console:accounts_file_verb": "accounts/test_account_pages.py: a POST of a file's page",
    "console:accounts_interest_one": "accounts/test_account_pages.py: a run that was reckoned",
    "console:accounts_late": "accounts/test_account_pages.py: money that came after an account's end",
    "console:accounts_payout": "accounts/test_account_pages.py: an account that was paid out",
    "console:accounts_release": "accounts/test_account_pages.py: an amount that is frozen",
    "console:sign_in": "test_pages.py: strangers only",
    "console:second_factor": "test_pages.py: strangers only",
    "console:language": "test_entrance.py: a POST of the frame",
    "console:search": "test_search.py: a POST of the frame",
    "console:account_enrol": "account/test_account.py: strangers with a code",
    "console:account_enrol_device": "account/test_account.py: the second step of it",
    "console:account_enrol_password": "account/test_account.py: the third step of it",
    "console:account_recovery": "account/test_account.py: strangers who lost their device",
    "console:account_session": "account/test_account.py: asked by the page itself",
    "console:acquiring_certificate": "acquiring/test_line_pages.py: a certificate that was registered",
    "console:approvals_complete": "approvals/test_pages.py: for a request that was returned",
    "console:auditing_verification": "auditing/test_audit.py: the result of a job",
    "console:ceremonies_ledger": "ceremonies/test_four_people.py: asked by the page itself",
    "console:clients_one": "clients/test_clients.py: a client that was made",
    "console:clients_rotate": "clients/test_clients.py: a client that was made",
    "console:clients_end": "clients/test_clients.py: a client that was made",
    "console:custody_hand_over_state": "custody/test_custody_pages.py: asked by the page itself",
    "console:documents_verify": "documents/test_papers.py: whoever holds a paper",
    "console:documents_verify_code": "documents/test_papers.py: whoever holds a paper",
    "console:documents_view": "documents/test_documents.py: a document that was kept",
    "console:documents_void": "documents/test_papers.py: a paper that was made",
    "console:exceptions_one": "exceptions/test_look.py: a case that was opened",
    "console:jobs_job": "jobs/test_jobs.py: a job that was started",
    "console:jobs_progress": "jobs/test_jobs.py: asked by the page itself",
    "console:list_file": "test_lists.py: a file that a job made",
    "console:machines_unseal_progress": "machines/test_unsealing.py: asked by the page itself",
    "console:operations_healthz": "operations/test_operations.py: for machines",
    "console:operations_readyz": "operations/test_operations.py: for machines",
    "console:operations_recount": "operations/test_access.py: the result of a job",
    "console:psams_one": "psams/test_pages.py: a PSAM that was handed over",
    "console:psams_verb": "psams/test_pages.py: a PSAM that was handed over",
    "console:psams_lift": "psams/test_pages.py: an entry of the block list",
    "console:transactions_archive_verb": "transactions/test_archive_pages.py: a day that is old enough",
    "console:transactions_board_live": "transactions/test_pages.py: asked by the page itself",
    "console:transactions_whole": "transactions/test_pages.py: for whoever may see whole numbers",
    "console:work": "work/test_queue.py: leads to the first of the queues",
    "console:work_bell": "work/test_queue.py: a part of the frame",
    "console:work_open": "work/test_queue.py: leads on to the page of the work",
}
"""Pages to which no link leads in a town at rest: where they are seen, and why they are not linked."""
PAGES = sorted(page.name for page in pages() if page.name not in UNLINKED and "GET" in page.methods)


@pytest.fixture(scope="session")
def found(test_cluster):
    """login → what each address answered."""
    return {walk.login: walk.answers for walk in walks(World())}


@pytest.fixture(scope="session")
def samples(found):
    """Name of a page → somebody who reaches it, and where."""
    known = {}
    for login, answers in found.items():
        for answer in answers:
            if answer.status in (200, 302) and answer.kind == "text/html":
                known.setdefault(answer.name, (login, answer.address))
    return known


@pytest.mark.req("H1")
@pytest.mark.parametrize("login", LOGINS)
def test_every_link_leads_where_its_reader_may_go(found, login):
    """A link that ends at a refusal, an error or nothing is a promise that the page does not keep."""
    answers = found[login]
    assert len(answers) > 3
    assert not [(one.status, one.address, one.came_from) for one in answers if one.status not in (200, 302)]


@pytest.mark.parametrize("login", LOGINS)
def test_every_page_has_a_title_of_its_own(found, login):
    """Two tabs of the same title are one tab to whoever hears them (WCAG 2.4.2)."""
    names = defaultdict(set)
    for answer in found[login]:
        if answer.status == 200 and answer.kind == "text/html":
            assert answer.title, answer.address
            names[answer.title].add(answer.name)
    assert not {title: where for title, where in names.items() if len(where) > 1}


def test_what_no_link_leads_to_is_seen_elsewhere():
    here = Path(__file__).parent
    assert not [name for name, why in UNLINKED.items() if not (here / why.partition(":")[0]).exists()]


def test_every_page_is_reached_by_a_link(samples):
    """What nobody can reach nobody uses, and no crawl sees it break."""
    assert set(PAGES) - set(samples) == set()


@pytest.mark.req("H1")
@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_whole(surf, samples, name, language):
    """A reader with a screen reader, a keyboard, a telephone, or one of the two languages would be shut out."""
    if name not in samples:
        pytest.fail(f"no link leads to {name}")
    login, address = samples[name]
    page = surf.signed_in(login, language)
    answer = page.goto(address)
    page.wait_for_selector("body.js-enabled")
    assert [*faults_of(page, answer.text(), language)] == []
