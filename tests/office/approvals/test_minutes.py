"""Minutes: what was decided, by whom, about which digest, on paper and verifiable."""

from __future__ import annotations

import io

import pytest
from pypdf import PdfReader

from sheka.equipment.server.node import NodeConfig
from sheka.foundation.refusals import Code
from sheka.office.approvals.actions.decide import decide
from sheka.office.approvals.actions.issue_minutes import issue_minutes
from sheka.office.documents.actions.view_document import view_document
from sheka.office.documents.models import Paper

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def node(settings, tmp_path):
    """Where the minutes lie."""
    settings.NODE = NodeConfig.create_demo(tmp_path / "node", document_keys="file")


@pytest.mark.req("K6")
def test_the_minutes_name_both_deciders_the_digest_and_the_payload(ask, people, refused):
    request = ask("test.two", amount=7, names="龙华、秀英")
    refused(Code.STATE_FORBIDS, issue_minutes, people["author"], proposal_id=request.pk)
    for name in ("one", "two"):
        decide(
            people[name], proposal_id=request.pk, digest=request.digest, step=0, verdict="approve", reason="材料齐全"
        )
    made = issue_minutes(people["author"], proposal_id=request.pk)
    content = view_document(people["author"], made.pk, "归档").content
    text = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
    for word in (
        "审批记录",
        "测试事项",
        "Matter of a test",
        "已批准",
        people["one"].name,
        people["two"].name,
        "材料齐全",
    ):
        assert word in text, word
    assert request.digest in text.replace("\n", "") and "龙华、秀英" in text and str(request.number) in text
    assert issue_minutes(people["author"], proposal_id=request.pk).pk == made.pk
    assert Paper.objects.get().number == str(request.number)


def test_a_rejection_has_minutes_too_and_a_stranger_gets_none(ask, people, refused):
    request = ask("test.one")
    decide(people["one"], proposal_id=request.pk, digest=request.digest, step=0, verdict="reject", reason="数目不符")
    made = issue_minutes(people["one"], proposal_id=request.pk)
    content = view_document(people["one"], made.pk, "归档").content
    text = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
    assert "未通过" in text and "数目不符" in text and "Rejected" in text
    refused(Code.APPROVAL_UNKNOWN, issue_minutes, people["examiner"], proposal_id=request.pk)
