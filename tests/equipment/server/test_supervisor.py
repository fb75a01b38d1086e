"""The supervisor while things go well and while children fail (H1): order, restart, one sentence."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sheka.equipment.server.lock import running
from sheka.equipment.server.processes import family, marked, memory_bytes
from sheka.equipment.server.supervisor import ProcessSpec, Stopped, Supervisor
from sheka.foundation.refusals import Code, Refused

pytestmark = pytest.mark.req("H1")
Sleeper = Callable[..., ProcessSpec]
Eventually = Callable[..., None]


def test_starts_in_order_each_when_the_one_before_is_ready(tmp_path: Path, sleeper: Sleeper) -> None:
    moments: dict[str, float] = {}

    def ready_after(name: str, seconds: float) -> Callable[[], bool]:
        def probe() -> bool:
            moments.setdefault(name + " begun", time.monotonic())
            if time.monotonic() - moments[name + " begun"] < seconds:
                return False
            moments[name + " ready"] = time.monotonic()
            return True

        return probe

    first, second = sleeper("first", ready=ready_after("first", 0.4)), sleeper("second", ready=ready_after("second", 0))
    with Supervisor([first, second], folder=tmp_path) as supervisor:
        supervisor.start()
        assert moments["first ready"] <= moments["second begun"]
        state = running(tmp_path)
        assert [row["name"] for row in state["processes"]] == ["first", "second"]
        assert {row["state"] for row in state["processes"]} == {"ready"}
        assert len(marked(supervisor.mark)) == 2
    assert marked(supervisor.mark) == []
    assert running(tmp_path)["pid"] is None


def test_stops_in_reverse_order(tmp_path: Path, sleeper: Sleeper) -> None:
    note = tmp_path / "ends"
    body = f"""
def leave(*_):
    with open({str(note)!r}, "a") as file: file.write({{name!r}} + "\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
open({str(tmp_path)!r} + "/up-" + {{name!r}}, "w").close()
"""
    names = ["one", "two", "three"]
    specs = [
        sleeper(name, body.replace("{name!r}", repr(name)), ready=(tmp_path / f"up-{name}").exists) for name in names
    ]
    with Supervisor(specs, folder=tmp_path) as supervisor:
        supervisor.start()
    assert note.read_text().split() == names[::-1]


def test_a_crashed_child_is_restarted_and_the_others_stay(
    tmp_path: Path, sleeper: Sleeper, eventually: Eventually
) -> None:
    with Supervisor([sleeper("steady"), sleeper("fragile")], folder=tmp_path) as supervisor:
        supervisor.start()
        before = {row["name"]: row["pid"] for row in running(tmp_path)["processes"]}
        os.kill(before["fragile"], signal.SIGKILL)

        def restarted() -> bool:
            rows = {row["name"]: row for row in running(tmp_path)["processes"]}
            return rows["fragile"]["pid"] not in {None, before["fragile"]} and rows["fragile"]["state"] == "ready"

        eventually(restarted)
        rows = {row["name"]: row for row in running(tmp_path)["processes"]}
        assert rows["steady"]["pid"] == before["steady"]
        assert rows["fragile"]["restarts"] == 1


def test_a_child_that_keeps_crashing_ends_the_run_with_its_last_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sleeper: Sleeper
) -> None:
    monkeypatch.setattr("sheka.equipment.server.supervisor.BACK_OFF_SECONDS", (0.01,) * 5)
    crashing = ProcessSpec(
        "crashing", (sys.executable, "-c", "import time; time.sleep(0.2); raise SystemExit('no more coins')")
    )
    with pytest.raises(Refused) as caught, Supervisor([sleeper("steady"), crashing], folder=tmp_path) as supervisor:
        supervisor.start()
        supervisor.wait()
    assert caught.value.code is Code.SERVER_PROCESS_GAVE_UP
    assert "no more coins" in caught.value.text("en")
    assert "5" in caught.value.text("zh-Hans")
    assert marked(supervisor.mark) == []


def test_a_failing_child_also_ends_a_program_that_is_busy_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sheka.equipment.server.supervisor.RESTARTS_ALLOWED", 0)
    crashing = ProcessSpec("crashing", (sys.executable, "-c", "import time; time.sleep(0.3); raise SystemExit(3)"))
    begun = time.monotonic()
    with pytest.raises(Refused) as caught, Supervisor([crashing], folder=tmp_path) as supervisor:
        supervisor.start()
        time.sleep(60)
    assert caught.value.code is Code.SERVER_PROCESS_GAVE_UP
    assert time.monotonic() - begun < 30


def test_a_child_that_ends_before_it_is_ready_refuses_the_start(tmp_path: Path, sleeper: Sleeper) -> None:
    broken = ProcessSpec("broken", (sys.executable, "-c", "raise SystemExit('key file is gone')"), ready=lambda: False)
    with pytest.raises(Refused) as caught, Supervisor([sleeper("steady"), broken], folder=tmp_path) as supervisor:
        supervisor.start()
    assert caught.value.code is Code.SERVER_PROCESS_FAILED
    assert caught.value.facts["last"] == "key file is gone"
    assert marked(supervisor.mark) == []


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    absent = ProcessSpec("absent", ("/nonexistent/program",), ready=lambda: False)
    with pytest.raises(Refused) as caught, Supervisor([absent], folder=tmp_path) as supervisor:
        supervisor.start()
    assert caught.value.facts["status"] == "127"
    assert "/nonexistent/program" in caught.value.text("en")


def test_a_child_that_never_gets_ready_refuses_the_start(tmp_path: Path, sleeper: Sleeper) -> None:
    with pytest.raises(Refused) as caught, Supervisor(folder=tmp_path) as supervisor:
        supervisor.start(sleeper("mute", "print('thinking', flush=True)", ready=lambda: False, ready_seconds=0.5))
    assert caught.value.code is Code.SERVER_PROCESS_NOT_READY
    assert marked(supervisor.mark) == []


def test_a_task_runs_to_its_end_and_its_failure_has_a_sentence(tmp_path: Path) -> None:
    done = ProcessSpec("migrate", (sys.executable, "-c", "print('migrated')"))
    failing = ProcessSpec("seed", (sys.executable, "-c", "raise SystemExit('row 7 is wrong')"))
    with pytest.raises(Refused) as caught, Supervisor(folder=tmp_path) as supervisor:
        supervisor.run(done)
        assert (tmp_path / "logs" / "migrate.log").read_text() == "migrated\n"
        supervisor.run(failing)
    assert caught.value.facts["last"] == "row 7 is wrong"


def test_a_port_in_use_is_refused_before_anything_starts(tmp_path: Path, sleeper: Sleeper) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        blocked = sleeper("web", ports=(("127.0.0.1", port),))
        with pytest.raises(Refused) as caught, Supervisor([sleeper("first"), blocked], folder=tmp_path) as supervisor:
            supervisor.start()
    assert caught.value.code is Code.SERVER_PORT_IN_USE
    assert str(port) in caught.value.text("zh-Hans")
    assert str(port) in caught.value.text("en")
    assert not (tmp_path / "logs").exists(), "nothing was started"


@pytest.mark.parametrize("place", ["file", "kernel"])
def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path, sleeper: Sleeper, place: str) -> None:
    (tmp_path / "taken").write_text("a file stands where the folder should be")
    folder = tmp_path / "taken" / "node" if place == "file" else Path("/proc/sys/node")
    with pytest.raises(Refused) as caught, Supervisor([sleeper()], folder=folder) as supervisor:
        supervisor.start()
    assert caught.value.code is Code.SERVER_FOLDER_UNWRITABLE
    assert not any(one.name == "supervisor" for one in threading.enumerate())


def test_a_second_supervisor_in_the_same_folder_says_so(tmp_path: Path, sleeper: Sleeper) -> None:
    with Supervisor([sleeper()], folder=tmp_path) as supervisor:
        supervisor.start()
        with pytest.raises(Refused) as caught, Supervisor([sleeper()], folder=tmp_path):
            pass
        assert caught.value.code is Code.SERVER_ALREADY_RUNNING
        assert len(marked(supervisor.mark)) == 1, "the first goes on"


def test_an_exception_in_the_program_still_stops_everything(tmp_path: Path, sleeper: Sleeper) -> None:
    with pytest.raises(ZeroDivisionError), Supervisor([sleeper()], folder=tmp_path) as supervisor:
        supervisor.start()
        assert 1 / 0
    assert marked(supervisor.mark) == []


def test_signal_handlers_are_given_back(tmp_path: Path) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    with Supervisor(folder=tmp_path):
        assert signal.getsignal(signal.SIGTERM) not in before
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before


def test_stop_from_another_thread_ends_the_wait(tmp_path: Path, sleeper: Sleeper) -> None:
    with Supervisor([sleeper()], folder=tmp_path) as supervisor:
        supervisor.start()
        threading.Timer(0.2, lambda: setattr(supervisor, "_stop", True)).start()
        with pytest.raises(Stopped):
            supervisor.wait()
        assert supervisor.stopping


def test_the_state_file_is_whole_json_and_memory_is_counted(tmp_path: Path, sleeper: Sleeper) -> None:
    with Supervisor([sleeper()], folder=tmp_path) as supervisor:
        supervisor.start()
        state = json.loads((tmp_path / "supervisor.json").read_text())
        pid = state["processes"][0]["pid"]
        assert pid in family(state["pid"])
        assert memory_bytes(pid) > 1_000_000
    assert memory_bytes(pid) == 0


def test_a_log_that_grew_is_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sheka.equipment.server.files.LOG_BYTES", 10)
    for _ in range(2):
        with Supervisor(folder=tmp_path) as supervisor:
            supervisor.run(ProcessSpec("chatty", (sys.executable, "-c", "print('0123456789 and more')")))
    assert (tmp_path / "logs" / "chatty.log.1").read_text() == (tmp_path / "logs" / "chatty.log").read_text()


def test_a_start_put_off_too_long_is_refused(tmp_path: Path, sleeper: Sleeper) -> None:
    with pytest.raises(Refused) as caught, Supervisor(folder=tmp_path) as supervisor:
        supervisor.start(sleeper("late", may_start=lambda: False, ready_seconds=0.3))
    assert caught.value.code is Code.SERVER_PROCESS_NOT_READY


def test_a_state_file_that_cannot_be_written_stops_nothing(tmp_path: Path, sleeper: Sleeper) -> None:
    with Supervisor(folder=tmp_path) as supervisor:
        (tmp_path / "supervisor.json").unlink()
        (tmp_path / "supervisor.json").mkdir()
        supervisor.start(sleeper())
        assert len(marked(supervisor.mark)) == 1
        (tmp_path / "supervisor.json").rmdir()
    assert marked(supervisor.mark) == []


def test_whoever_logs_out_after_nohup_keeps_the_node(tmp_path: Path, sleeper: Sleeper) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Supervisor([sleeper()], folder=tmp_path) as supervisor:
            supervisor.start()
            os.kill(os.getpid(), signal.SIGHUP)
            time.sleep(0.2)
            assert not supervisor.stopping
    finally:
        signal.signal(signal.SIGHUP, before)
