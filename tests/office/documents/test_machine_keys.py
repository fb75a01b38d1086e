"""Keys of documents from a real encryption machine: nothing opens without it."""

from __future__ import annotations

import pytest
from tests.support.files import picture

from sheka.equipment.encryption_machine.launch import start_machine
from sheka.equipment.server.files import make_socket_folder
from sheka.equipment.server.node import NodeConfig
from sheka.foundation.refusals import Code
from sheka.office.documents import keys
from sheka.office.documents.actions.keep_document import keep_document
from sheka.office.documents.actions.view_document import view_document
from sheka.office.documents.models import Document
from sheka.office.organisations.queries import organisation

pytestmark = pytest.mark.django_db
GIVEN = {"kind": "id_card_copy", "subject": "exchange:H1", "filename": "a.jpg"}


@pytest.fixture
def start(settings, tmp_path, monkeypatch):
    """A node that has its keys in machines, Haikou's running; start() starts it again."""
    node = settings.NODE = NodeConfig.create_demo(tmp_path / "with-machine")
    make_socket_folder(node.sockets)
    monkeypatch.setattr(keys, "_in_use", {})
    name, running = "haikou", []

    def run():
        folder, callers = node.machine_folder(name), node.machine_callers(name)
        running.append(start_machine(folder, callers=callers, address=node.machine_address(name)))
        return running[-1]

    yield run
    for handle in running:
        handle.stop()


@pytest.mark.req("K1")
def test_the_key_stays_in_the_machine_and_without_it_nothing_opens(start, clerk, settings, refused):
    handle = start()
    first = keep_document(clerk, content=picture(), **GIVEN)
    second = keep_document(clerk, content=picture(size=(300, 200)), **GIVEN)
    assert first.key == second.key and first.key.startswith("machine:haikou/") and first.salt != second.salt
    assert not (settings.NODE.documents_folder / keys.KEY_FILE).exists()
    assert view_document(clerk, first.pk, "核对").content
    handle.stop()
    refused(Code.MACHINE_UNREACHABLE, view_document, clerk, first.pk, "核对")
    refused(Code.MACHINE_UNREACHABLE, keep_document, clerk, content=picture(size=(90, 90)), **GIVEN)
    assert Document.objects.count() == 2
    start()
    assert view_document(clerk, second.pk, "核对").content


def test_the_machine_is_asked_for_one_key_only_and_another_process_finds_it(start, clerk, monkeypatch):
    start()
    place = organisation("460100-01")
    first, _salt, _key = keys.new_key(place)
    monkeypatch.setattr(keys, "_in_use", {})  # as another process sees it
    second, salt, key = keys.new_key(place)
    assert first == second and keys.key_of(second, salt) == key and len(key) == 16


def test_two_processes_that_make_the_key_at_once_agree(start, clerk, monkeypatch):
    start()
    with keys._machine("haikou") as line:
        made = keys._newest(line, "460100")
        seen = iter([[], line.list_keys()])
        monkeypatch.setattr(line, "list_keys", lambda: next(seen))  # the other process came between look and making
        assert keys._newest(line, "460100") == made


def test_an_organisation_without_a_machine_uses_that_of_its_superior(start, tree, refused, settings):
    start()
    name, _salt, _key = keys.new_key(organisation("460100-CC"))
    assert name.startswith("machine:haikou/")
    refused(Code.MACHINE_UNREACHABLE, keys.new_key, organisation("460200"))  # Sanya's superior is Hainan, which is down


def test_a_node_may_go_from_the_file_to_the_machine(start, clerk, settings):
    folder = settings.NODE.folder
    text = (folder / "node.toml").read_text("utf-8")
    (folder / "node.toml").write_text(text.replace('keys = "machine"', 'keys = "file"'))
    settings.NODE = NodeConfig.load(folder / "node.toml")
    before = keep_document(clerk, content=picture(), **GIVEN)
    start()
    (folder / "node.toml").write_text(text)
    settings.NODE = NodeConfig.load(folder / "node.toml")
    after = keep_document(clerk, content=picture(size=(300, 200)), **GIVEN)
    assert before.key == "file:1" and after.key.startswith("machine:")
    assert view_document(clerk, before.pk, "核对").content and view_document(clerk, after.pk, "核对").content
