"""The report to the superior on paper: a PDF that says how the incident stands, kept and verifiable (K9)."""

from __future__ import annotations

import io

import pytest
from pypdf import PdfReader

from sheka.office.documents.actions.view_document import view_document
from sheka.office.documents.models import Paper
from sheka.office.incidents.actions.handle_incident import note_progress, take_incident
from sheka.office.incidents.actions.issue_report import issue_report
from sheka.office.incidents.actions.report_incident import report_incident


@pytest.mark.req("K9")
def test_the_report_is_made_and_a_later_one_replaces_it(people, node):
    """Lost: a superior who asks for paper gets one typed by hand, or an old one that still looks valid."""
    keys = people["c-keys"]
    made = report_incident(keys, kind="data_leak", subject="other:mail-1", about="名册误发外部邮箱，已要求对方删除。")
    first = issue_report(keys, number=made.number)
    assert issue_report(keys, number=made.number) == first, "the same facts are the same paper"
    content = view_document(keys, first.pk, "检查").content
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
    for said in (made.number, "个人信息泄露", "海口市", "名册误发外部邮箱", "部级机构", "未到期"):
        assert said in text, said
    take_incident(keys, number=made.number)
    note_progress(keys, number=made.number, text="对方已书面确认删除。")
    second = issue_report(keys, number=made.number)
    assert Paper.objects.get(document=first).state != "valid" and Paper.objects.get(document=second).state == "valid"
