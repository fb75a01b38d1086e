"""Keeping and viewing: encrypted on the disk, one row that never changes, each look audited, nothing half done."""

from __future__ import annotations

import re
import resource
from datetime import timedelta

import pytest
import time_machine
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from hypothesis import example, given
from hypothesis import settings as effort
from hypothesis import strategies as st
from tests.support.files import picture

from sheka.foundation.crypto.sm3 import sm3
from sheka.foundation.refusals import Code
from sheka.office.audit.models import Event
from sheka.office.documents import keys, store
from sheka.office.documents.actions.dispose_documents import dispose_documents
from sheka.office.documents.actions.keep_document import keep_document
from sheka.office.documents.actions.view_document import view_document
from sheka.office.documents.models import Document
from sheka.office.documents.names import LONGEST, label_of
from sheka.office.documents.queries import document_numbered, documents_in_reach, documents_of
from sheka.office.documents.sweep import sweep
from sheka.office.organisations.queries import organisation
from sheka.office.scope import acting_in
from sheka.office.staff.actors import Actor

pytestmark = pytest.mark.django_db
ABOUT = "exchange:H4601002026112200001"
PURPOSE = "核对申请材料"


def keep(actor, content=None, **changes):
    given_ = {"kind": "id_card_copy", "subject": ABOUT, "filename": "scan.jpg"} | changes
    return keep_document(actor, content=content or picture(), **given_)


def events(*names):
    return list(Event.objects.filter(event__in=names).values_list("event", flat=True))


def files(node):
    return [path for path in node.documents_folder.rglob("*") if path.is_file() and path.name != keys.KEY_FILE]


def test_what_was_kept_is_shown_for_a_purpose_and_audited(clerk):
    kept = keep(clerk)
    found = view_document(clerk, kept.pk, f"  {PURPOSE} ")
    assert sm3(found.content).hex() == kept.digest and found.content.startswith(b"\xff\xd8\xff")
    assert (kept.organisation_id, kept.kept_by, kept.size) == ("460100-01", clerk.name, len(found.content))
    assert kept.retain_until.year == timezone.localdate().year + 5
    row = Event.objects.get(event="document.viewed")
    assert row.subject == f"document:{kept.pk}" and PURPOSE in row.facts and row.staff_id == clerk.staff_id
    assert events("document.kept") == ["document.kept"]


def test_nothing_of_it_lies_in_clear_on_the_disk(clerk, node):
    kept = keep(clerk)
    content = view_document(clerk, kept.pk, PURPOSE).content
    (path,) = files(node)
    assert path.name == kept.stored == sm3(path.read_bytes()).hex()
    assert path.stat().st_mode & 0o077 == 0 and path.parent.stat().st_mode & 0o077 == 0
    assert content[100:200] not in path.read_bytes() and b"JFIF" not in path.read_bytes()
    assert (node.documents_folder / keys.KEY_FILE).stat().st_mode & 0o077 == 0
    again = keep(clerk, subject="card:D2143569X")
    assert again.digest == kept.digest and again.stored != kept.stored, "two documents never share a key"


def test_the_same_file_is_kept_once_a_subject(clerk, node):
    first, second = keep(clerk), keep(clerk, filename="again.jpg")
    assert first.pk == second.pk and Document.objects.count() == 1
    assert events("document.found") == ["document.found"]
    assert len(files(node)) == 2
    assert sweep(patience=-1).removed == 1
    assert view_document(clerk, first.pk, PURPOSE).content


def test_without_a_right_a_purpose_or_a_subject_nothing_is_shown(clerk, appoint, refused):
    kept = keep(clerk)
    nobody = appoint("nobody", "460100-01")
    refused(Code.PERMISSION_MISSING, keep, nobody)
    refused(Code.PERMISSION_MISSING, view_document, nobody, kept.pk, PURPOSE)
    refused(Code.DOCUMENT_PURPOSE, view_document, clerk, kept.pk, " ")
    refused(Code.DOCUMENT_PURPOSE, view_document, clerk, kept.pk, "x" * 201)
    refused(Code.DOCUMENT_UNKNOWN, view_document, clerk, kept.pk + 9, PURPOSE)
    refused(Code.DOCUMENT_SUBJECT, keep, clerk, subject="person:460100199001011234")
    refused(Code.DOCUMENT_SUBJECT, keep, clerk, subject="exchange:../../etc")
    refused(Code.EXCHANGE_UNKNOWN, keep, clerk, subject="exchange:hidden")
    refused(Code.DOCUMENT_KIND, keep, clerk, kind="holder_photo")
    refused(Code.DOCUMENT_KIND, keep, clerk, kind="exchange_receipt")
    refused(Code.DOCUMENT_KIND, keep, clerk, kind="anything")
    assert documents_of(nobody, ABOUT) == []
    assert events("document.viewed") == []


def test_a_file_that_is_refused_leaves_a_row_in_the_audit_and_nothing_else(clerk, node, refused):
    refused(Code.DOCUMENT_TYPE, keep, clerk, content=b"<html>")
    row = Event.objects.get(event="document.refused")
    assert '"number":3412' in row.facts and row.subject == ABOUT
    assert Document.objects.count() == 0 and files(node) == []


def test_another_city_sees_nothing_of_it(clerk, supervisor, stranger, refused):
    kept = keep(clerk)
    with acting_in(clerk.scope):
        assert [row.pk for row in documents_in_reach(supervisor)] == [kept.pk]
    assert list(documents_in_reach(stranger)) == []
    refused(Code.DOCUMENT_UNKNOWN, view_document, stranger, kept.pk, PURPOSE)
    with acting_in(stranger.scope):  # the database itself hides it, whoever the code believes to be
        assert Document.objects.count() == 0
        refused(Code.DOCUMENT_UNKNOWN, document_numbered, clerk, kept.pk)
        with pytest.raises(DatabaseError), transaction.atomic():
            Document.objects.create(**(_row(kept) | {"stored": "0" * 64, "given_digest": ""}))
    with acting_in():
        assert Document.objects.count() == 0


@pytest.mark.req("K6")
def test_whoever_may_not_read_a_thing_does_not_see_its_documents(clerk, appoint, refused):
    kept, of_card = keep(clerk), keep(clerk, subject="card:D2143569X")
    applicant = appoint("applicant", "460100", "issuance_clerk")
    assert [row.pk for row in documents_in_reach(applicant)] == [kept.pk]
    refused(Code.DOCUMENT_SUBJECT, documents_of, applicant, of_card.subject)
    refused(Code.DOCUMENT_SUBJECT, view_document, applicant, of_card.pk, PURPOSE)
    refused(Code.DOCUMENT_SUBJECT, keep, applicant, subject=of_card.subject)
    assert {row.pk for row in documents_in_reach(clerk)} == {kept.pk, of_card.pk}


def _row(document):
    return {field.attname: getattr(document, field.attname) for field in Document._meta.fields if field.name != "id"}


TAMPERS = {
    "a bit of the text": lambda raw: raw[:60] + bytes([raw[60] ^ 1]) + raw[61:],
    "the tag": lambda raw: raw[:-1] + bytes([raw[-1] ^ 128]),
    "the nonce": lambda raw: raw[:14] + b"\0" + raw[15:],
    "cut": lambda raw: raw[: len(raw) // 2],
    "emptied": lambda raw: b"",
}


@pytest.mark.parametrize("change", TAMPERS.values(), ids=TAMPERS)
def test_an_altered_file_is_never_shown_and_the_audit_says_so(clerk, refused, change):
    kept = keep(clerk)
    path = store.path_of(kept.stored)
    path.write_bytes(change(path.read_bytes()))
    refused(Code.DOCUMENT_ALTERED, view_document, clerk, kept.pk, PURPOSE)
    assert events("document.altered", "document.viewed") == ["document.altered"]


def test_a_file_laid_under_another_row_is_not_shown(clerk, refused):
    first, second = keep(clerk), keep(clerk, content=picture(size=(600, 500)))
    store.path_of(first.stored).write_bytes(store.path_of(second.stored).read_bytes())
    refused(Code.DOCUMENT_ALTERED, view_document, clerk, first.pk, PURPOSE)


def test_a_file_that_is_gone_is_told(clerk, refused):
    kept = keep(clerk)
    store.path_of(kept.stored).unlink()
    refused(Code.DOCUMENT_MISSING, view_document, clerk, kept.pk, PURPOSE)
    assert events("document.missing") == ["document.missing"]
    assert sweep().missing == [kept.pk]


@pytest.mark.parametrize("column", ["digest", "label", "subject", "kept_by", "retain_until"])
def test_a_row_cannot_be_changed_or_deleted(clerk, column):
    kept = keep(clerk)
    value = timezone.localdate() if column == "retain_until" else "0" * 64
    with pytest.raises(DatabaseError), transaction.atomic():
        Document.objects.filter(pk=kept.pk).update(**{column: value})
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM documents_document WHERE id = %s", [kept.pk])


def test_a_full_disk_refuses_the_document_and_leaves_nothing(clerk, node, refused):
    keep(clerk)
    before = files(node)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        error = refused(Code.DOCUMENT_NO_ROOM, keep, clerk, content=picture(size=(2000, 1500)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert error.http == 507
    assert files(node) == before and Document.objects.count() == 1


def test_a_folder_that_cannot_be_written_refuses_the_document(clerk, node, refused):
    node.documents_folder.mkdir(mode=0o700)
    keys.new_key(organisation("460100-01"))
    for name in range(256):
        (node.documents_folder / f"{name:02x}").write_text("a file where a folder should be")
    refused(Code.DOCUMENT_UNWRITABLE, keep, clerk)
    assert Document.objects.count() == 0


def test_a_rolled_back_document_is_swept_away(clerk, node):
    with pytest.raises(RuntimeError), transaction.atomic():
        keep(clerk)
        raise RuntimeError("the caller fails afterwards")
    assert Document.objects.count() == 0 and len(files(node)) == 1
    assert sweep().removed == 0, "a young file may belong to a transaction that runs"
    assert sweep(patience=-1).removed == 1 and files(node) == []


def test_after_its_time_a_document_is_gone_for_good_and_its_record_stays(clerk, supervisor, node, refused):
    kept = keep(clerk)
    refused(Code.PERMISSION_MISSING, dispose_documents, clerk)
    assert dispose_documents(supervisor) == 0
    with time_machine.travel(timezone.now() + timedelta(days=366 * 5 + 2)):
        assert dispose_documents(supervisor) == 1
        refused(Code.DOCUMENT_DISPOSED, view_document, clerk, kept.pk, PURPOSE)
    kept.refresh_from_db()
    assert kept.state == "disposed" and bytes(kept.salt) == b"" and kept.digest
    assert sweep(patience=-1).removed == 1 and sweep().missing == []
    assert events("document.disposed") == ["document.disposed"]
    assert keep(clerk).pk != kept.pk, "the same file can be kept again"


def test_a_key_file_that_others_can_read_is_not_used(clerk, node, refused):
    kept = keep(clerk)
    path = node.documents_folder / keys.KEY_FILE
    path.chmod(0o644)
    refused(Code.DOCUMENT_KEY_FILE, view_document, clerk, kept.pk, PURPOSE)
    path.chmod(0o600)
    path.write_text("no key\n")
    refused(Code.DOCUMENT_KEY_FILE, keep, clerk, content=picture(size=(300, 300)))
    path.unlink()
    refused(Code.DOCUMENT_KEY, view_document, clerk, kept.pk, PURPOSE)
    refused(Code.DOCUMENT_KEY, keys.key_of, "paper:1", b"")


def test_a_new_key_in_the_file_is_used_and_the_old_one_still_opens(clerk, node):
    kept = keep(clerk)
    with (node.documents_folder / keys.KEY_FILE).open("a") as file:
        file.write("2 " + "ab" * 16 + "\n")
    later = keep(clerk, content=picture(size=(300, 300)))
    assert (kept.key, later.key) == ("file:1", "file:2")
    assert view_document(clerk, kept.pk, PURPOSE).content and view_document(clerk, later.pk, PURPOSE).content


def test_a_process_of_the_node_keeps_and_views_too(tree):
    process = Actor.process("import", "460100")
    kept = keep(process)
    assert kept.kept_by == "process:import" and kept.kept_by_id is None
    assert view_document(process, kept.pk, PURPOSE).content


@example("../../../../etc/passwd")
@example("C:\\Windows\\system32\\x.exe")
@example("a" * 5000 + ".jpg")
@example("\u202egpj.exe")
@example("460100199001011234.jpg")
@example("%2e%2e%2f\r\nSet-Cookie: a=b")
@example("\ud800")
@effort(max_examples=150, deadline=None)
@given(st.text(max_size=200))
def test_a_name_is_a_label_and_never_a_path(name):
    label = label_of(name, "jpg")
    assert label.endswith(".jpg") and len(label) <= LONGEST + 4 and not label.startswith(".")
    assert not set(label) & set('/\\\0\r\n<>:"|?*%;\u202e')
    assert not re.search(r"[0-9]{6}", label)
    label.encode("utf-8")


def test_a_strange_name_does_no_harm_on_the_way_in(clerk):
    kept = keep(clerk, filename="../../身份证\r\n460100199001011234" + "长" * 300 + ".exe")
    assert kept.label.startswith("身份证") and kept.label.endswith(".jpg") and "1990" not in kept.label
