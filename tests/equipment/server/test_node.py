"""The node's file (H1): what is wrong in it is refused by name before anything starts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sheka.equipment.server.node import NodeConfig, node_environment
from sheka.foundation.refusals import Code, Refused

pytestmark = pytest.mark.req("H1")
Change = Callable[[str, str], Path]


@pytest.fixture
def change(tmp_path: Path) -> Change:
    """A demo node's file with one piece of text replaced."""

    def make(old: str, new: str) -> Path:
        path = NodeConfig.create_demo(tmp_path / "node").path
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))
        return path

    return make


def test_the_demo_hosts_three_levels_with_a_machine_each(tmp_path: Path) -> None:
    node = NodeConfig.create_demo(tmp_path / "demo")
    assert node.organisations == ("000000", "460000", "460100")
    assert (node.name, node.level, node.demo) == ("demo", "ministry", True)
    assert (node.web.port, node.switch.port, node.web.host) == (8000, 8583, "127.0.0.1")
    assert [machine.name for machine in node.machines] == ["ministry", "hainan", "haikou"]
    assert node.machine("460100").name == "haikou"
    assert node.machine_folder("haikou") == tmp_path / "demo" / "machines" / "haikou"
    assert node.machine_address("haikou").startswith("unix:/")
    assert len(node.machine_address("haikou").encode()) < 105


def test_an_existing_node_is_read_again_unchanged(tmp_path: Path) -> None:
    first = NodeConfig.create_demo(tmp_path / "demo", web_port=8001)
    second = NodeConfig.create_demo(tmp_path / "demo")
    assert second.web.port == 8001
    assert second.django_secret_key == first.django_secret_key
    assert second == NodeConfig.load(first.path)


def test_the_variable_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node = NodeConfig.create_demo(tmp_path / "demo")
    for name, value in node_environment(node, "owner").items():
        monkeypatch.setenv(name, value)
    assert NodeConfig.load() == node
    assert node.django_database()["USER"] == "sheka_owner"
    monkeypatch.setenv("SHEKA_DATABASE_ROLE", "postgres")
    with pytest.raises(Refused) as caught:
        node.django_database()
    assert caught.value.code is Code.NODE_FILE_INVALID
    monkeypatch.delenv("SHEKA_NODE")
    with pytest.raises(Refused) as caught:
        NodeConfig.load()
    assert caught.value.code is Code.NODE_FILE_MISSING


def test_secrets_are_private_and_different_for_every_caller(tmp_path: Path) -> None:
    node = NodeConfig.create_demo(tmp_path / "demo")
    assert (node.folder / "secrets.toml").stat().st_mode & 0o777 == 0o600
    words = [word for machine in node.machines for word in node.machine_callers(machine.name).values()]
    assert len(set(words)) == len(words) == 9
    assert {len(word) for word in words} == {32}
    assert node.machine_secret("hainan", "switch") == node.machine_callers("hainan")["switch"]
    for word in words:
        assert word.hex() not in node.path.read_text()


def test_the_databases_entry_of_django(tmp_path: Path) -> None:
    node = NodeConfig.create_demo(tmp_path / "demo")
    entry = node.django_database()
    assert entry["ENGINE"] == "django.db.backends.postgresql"
    assert (entry["NAME"], entry["USER"]) == ("sheka", "sheka_app")
    assert entry["HOST"] == str(node.cluster.sockets)
    assert node.dsn("owner").startswith("postgresql://sheka_owner:")


def test_an_outside_database_comes_from_the_secrets(change: Change) -> None:
    path = change('name = "sheka"\nfolder = "postgres"', 'mode = "external"')
    with pytest.raises(Refused) as caught:
        NodeConfig.load(path)
    assert "database" in caught.value.text("en")
    secrets = path.parent / "secrets.toml"
    addresses = (
        '[database]\napp = "postgresql://a:b@db/sheka?sslmode=verify-full"\nowner = "postgresql://o:p@db/sheka"\n'
        'switch = "postgresql://s:t@db/sheka"\n'
    )
    secrets.write_text(secrets.read_text() + addresses)
    node = NodeConfig.load(path)
    entry = node.django_database()
    assert (entry["HOST"], entry["USER"], entry["OPTIONS"]) == ("db", "a", {"sslmode": "verify-full"})
    assert node.dsn("owner") == "postgresql://o:p@db/sheka"
    assert node.dsn("switch") == "postgresql://s:t@db/sheka"
    with pytest.raises(Refused) as caught:
        node.dsn("backup")
    assert caught.value.code is Code.NODE_FILE_INVALID
    with pytest.raises(Refused) as caught:
        node.cluster.prepare()
    assert caught.value.code is Code.NODE_DATABASE_OUTSIDE


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('level = "ministry"', 'level = "county"', "level"),
        ("port = 8000", "port = 80000", "web.port"),
        ("port = 8000", "port = 8583", "web and switch"),
        ("port = 8000", 'port = "eight"', "web.port"),
        ('"460100"]', '"4601"]', "organisations"),
        ("demo = true", "demo = true\ndmeo = false", "dmeo"),
        ('name = "haikou"', 'name = "hainan"', "machines"),
        ('organisation = "460100"', 'organisation = "460200"', "haikou"),
        ('folder = "machines/haikou"', 'address = "http://haikou"', "address"),
        ('folder = "machines/haikou"', "", "haikou"),
        ('name = "sheka"', 'name = "sheka; DROP"', "database.name"),
        ("[web]", "[web", "Expected ']'"),
    ],
)
def test_a_bad_value_is_refused_by_name(change: Change, old: str, new: str, named: str) -> None:
    with pytest.raises(Refused) as caught:
        NodeConfig.load(change(old, new))
    assert caught.value.code is Code.NODE_FILE_INVALID
    assert named in caught.value.text("en")
    assert named in caught.value.text("zh-Hans")


def test_secrets_that_others_can_read_are_refused(tmp_path: Path) -> None:
    node = NodeConfig.create_demo(tmp_path / "demo")
    (node.folder / "secrets.toml").chmod(0o640)
    with pytest.raises(Refused) as caught:
        NodeConfig.load(node.path)
    assert caught.value.code is Code.NODE_SECRETS_OPEN


@pytest.mark.parametrize("text", ["", 'django_secret_key = "short"'])
def test_missing_or_short_secrets_are_refused(tmp_path: Path, text: str) -> None:
    node = NodeConfig.create_demo(tmp_path / "demo")
    secrets = node.folder / "secrets.toml"
    secrets.write_text(text)
    with pytest.raises(Refused) as caught:
        NodeConfig.load(node.path)
    assert caught.value.code is Code.NODE_FILE_INVALID
    secrets.unlink()
    with pytest.raises(Refused) as caught:
        NodeConfig.load(node.path)
    assert caught.value.code is Code.NODE_FILE_MISSING


def test_a_machine_without_a_secret_or_not_here_is_refused(tmp_path: Path) -> None:
    node = NodeConfig.create_demo(tmp_path / "demo")
    with pytest.raises(Refused) as caught:
        node.machine("460200")
    assert caught.value.code is Code.NODE_MACHINE_UNKNOWN
    secrets = node.folder / "secrets.toml"
    secrets.write_text(secrets.read_text().replace("[machines.haikou]", "[machines.elsewhere]"))
    with pytest.raises(Refused) as caught:
        NodeConfig.load(node.path)
    assert "haikou" in caught.value.text("en")


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Refused) as caught:
        NodeConfig.create_demo(tmp_path / "file" / "demo")
    assert caught.value.code is Code.SERVER_FOLDER_UNWRITABLE


def test_a_node_of_an_earlier_version_gets_the_secrets_that_it_lacks(tmp_path: Path) -> None:
    """Nobody could be appointed after an upgrade."""
    node = NodeConfig.create_demo(tmp_path)
    secrets = tmp_path / "secrets.toml"
    older = "".join(line for line in secrets.read_text().splitlines(True) if not line.startswith("person_key"))
    secrets.write_text(older)
    with pytest.raises(Refused) as refused:
        _ = NodeConfig.load(node.path).person_key
    assert refused.value.code is Code.NODE_FILE_INVALID
    upgraded = NodeConfig.load(node.path).upgraded()
    assert len(upgraded.person_key) == 32 and secrets.stat().st_mode & 0o077 == 0
    assert upgraded.secret.machines == node.secret.machines
    assert upgraded.upgraded() is upgraded and NodeConfig.load(node.path).person_key == upgraded.person_key
