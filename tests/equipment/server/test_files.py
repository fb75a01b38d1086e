"""Files of a node (H1): no stranger lays a socket folder, no secret stands open, no half file is read."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from sheka.equipment.server import ports
from sheka.equipment.server.files import (
    disk_full,
    make_folder,
    make_socket_folder,
    open_log,
    socket_folder,
    unwritable,
    write_private,
)
from sheka.equipment.server.postgres import PostgresCluster
from sheka.foundation.refusals import Code, Refused

pytestmark = pytest.mark.req("H1")


def test_a_short_folder_keeps_its_sockets_and_a_long_one_gets_a_short_place(tmp_path: Path) -> None:
    assert socket_folder(Path("/srv/sheka")) == Path("/srv/sheka/run")
    deep = tmp_path / ("城市" * 40)
    place = socket_folder(deep)
    assert place == socket_folder(deep) != socket_folder(tmp_path / ("城市" * 41))
    assert len(os.fsencode(place / ".s.PGSQL.65535")) < 100
    made = make_socket_folder(place)
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(made / ".s.PGSQL.65535"))
        assert made.stat().st_mode & 0o777 == 0o700
    finally:
        (made / ".s.PGSQL.65535").unlink()
        made.rmdir()


def test_a_link_or_a_file_in_the_place_of_a_socket_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(Refused) as caught:
        make_socket_folder(tmp_path / "link")
    assert caught.value.code is Code.SERVER_SOCKET_FOLDER
    (tmp_path / "file").write_text("")
    with pytest.raises(Refused) as caught:
        make_socket_folder(tmp_path / "file")
    assert caught.value.code is Code.SERVER_FOLDER_UNWRITABLE


def test_an_open_socket_folder_of_ours_is_closed(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir(mode=0o777)
    assert make_socket_folder(tmp_path / "run").stat().st_mode & 0o777 == 0o700


def test_new_folders_can_be_entered_whatever_the_umask_and_old_ones_stay_as_they_are(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir(mode=0o700)
    before = os.umask(0o077)
    try:
        made = make_folder(old / "new" / "deep")
    finally:
        os.umask(before)
    assert made.stat().st_mode & 0o777 == made.parent.stat().st_mode & 0o777 == 0o755
    assert old.stat().st_mode & 0o777 == 0o700


def test_a_private_file_is_replaced_whole_and_never_open(tmp_path: Path) -> None:
    path = tmp_path / "secrets"
    path.write_text("old")
    path.chmod(0o644)
    write_private(path, "new")
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["secrets"]
    with pytest.raises(Refused) as caught:
        write_private(tmp_path / "absent" / "secrets", "x")
    assert caught.value.code is Code.SERVER_FOLDER_UNWRITABLE


def test_a_full_disk_is_told_from_a_missing_right(tmp_path: Path) -> None:
    with pytest.raises(OSError) as full, Path("/dev/full").open("w") as device:
        device.write("x")
        device.flush()
    assert unwritable(tmp_path, full.value).code is Code.SERVER_DISK_FULL
    assert disk_full(tmp_path, 1 << 40).facts["needed"] == 1 << 20


def test_a_port_is_free_taken_or_not_ours() -> None:
    port = ports.free_port()
    ports.require_free("127.0.0.1", port, "web")
    assert not ports.answers("127.0.0.1", port)
    with socket.create_server(("0.0.0.0", port)):
        assert ports.answers("127.0.0.1", port)
        with pytest.raises(Refused) as caught:
            ports.require_free("127.0.0.1", port, "web")
    assert caught.value.code is Code.SERVER_PORT_IN_USE
    with pytest.raises(Refused) as caught:
        ports.require_free("192.0.2.1", port, "web")  # TEST-NET-1: no address of this machine (RFC 5737)
    assert caught.value.code is Code.SERVER_ADDRESS


@pytest.mark.req("H1")
def test_a_full_disk_keeps_no_process_from_its_log_and_no_one_from_the_passwords(tmp_path: Path) -> None:
    """What is lost if this fails: on a full disk one process that dies takes the whole node with it."""
    cluster = PostgresCluster(tmp_path / "postgres")
    assert cluster.passwords["sheka_app"]
    open_log(tmp_path / "logs" / "switch.log").close()
    program = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from sheka.equipment.server.files import open_log\n"
        "from sheka.equipment.server.postgres import PostgresCluster\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
        "place = Path(sys.argv[1])\n"
        "open_log(place / 'logs' / 'switch.log').close()\n"
        "sys.exit('sheka_app' not in PostgresCluster(place / 'postgres').passwords)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
