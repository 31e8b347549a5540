"""The supervisor with real processes, and what `manage.py` says when something is in the way."""

import fcntl
import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import IO

import psutil
import pytest
from django.test import override_settings

from core.embedded import EnvironmentProblem
from core.management.commands.run import Command
from core.supervisor import progress, usable_port
from manage import needs_database

PROJECT = Path(__file__).resolve().parents[2]
PATIENCE = 120  # seconds; nothing here needs more than two, on a machine of its own
# A web server and a worker of which each holds a lock while it lives.
STAND_INS = {
    "web": """
        import fcntl, http.server, signal, sys
        lock = open(sys.argv[1], "w")
        fcntl.flock(lock, fcntl.LOCK_EX)
        class Quiet(http.server.SimpleHTTPRequestHandler):
            def log_message(self, *args): pass
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        print("listening")
        http.server.HTTPServer(("127.0.0.1", int(sys.argv[2])), Quiet).serve_forever()
    """,
    "worker": """
        import fcntl, signal, sys
        lock = open(sys.argv[1], "w")
        fcntl.flock(lock, fcntl.LOCK_EX)
        signal.signal(signal.SIGTERM, lambda *_: (print("worker says goodbye"), sys.exit(0)))
        print("worker is at work")
        while True: signal.pause()
    """,
    "stubborn": """
        import fcntl, signal, subprocess, sys
        lock = open(sys.argv[1], "w")
        fcntl.flock(lock, fcntl.LOCK_EX)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        subprocess.Popen(["sleep", "600"], pass_fds=[lock.fileno()])
        print("nothing stops me")
        while True: signal.pause()
    """,
    "failing": """
        import sys
        print("no reason to go on")
        sys.exit(7)
    """,
}
SUPERVISE = """
import sys
import core.supervisor
from core.supervisor import Program, answers, supervise
core.supervisor.GRACE = 1
port, folder, *names = sys.argv[1:]
programs = [Program(n, [sys.executable, f"{folder}/{n}.py", f"{folder}/{n}.lock", port]) for n in names]
sys.exit(supervise(programs, ready=lambda: answers(int(port)), announcement=f"Ready on {port}."))
"""


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture
def supervise(tmp_path: Path, port: int) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    for name, text in STAND_INS.items():
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(text))
    started = []

    def start(*names: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", SUPERVISE, str(port), str(tmp_path), *names],
            cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def read_until(process: subprocess.Popen[str], *texts: str) -> list[str]:
    """The lines up to the one with the last of the texts, in whatever order they come."""
    assert process.stdout
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line.rstrip())
        if all(any(text in said for said in lines) for text in texts):
            return lines
    raise AssertionError(lines)


def assert_ended(folder: Path, *names: str) -> None:
    """Waits until no process of these programs lives: the kernel then frees their locks."""
    deadline = time.monotonic() + PATIENCE
    for name in names:
        with (folder / f"{name}.lock").open("a") as lock:  # a program may be stopped before it has made its file
            while not free(lock):
                assert time.monotonic() < deadline, f"{name} lives on"
                time.sleep(0.02)


def free(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def test_announces_the_server_once_it_answers_and_names_the_source_of_each_line(
    supervise: Callable[..., subprocess.Popen[str]], port: int
) -> None:
    lines = read_until(supervise("web", "worker"), "Ready")
    assert lines[-1] == f"Ready on {port}."
    assert "web    | listening" in lines


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_the_group_stops_all_in_order(
    supervise: Callable[..., subprocess.Popen[str]], port: int, tmp_path: Path, number: signal.Signals
) -> None:
    process = supervise("web", "worker")
    read_until(process, "Ready", "at work")  # before that, the worker has no words for its end
    os.killpg(process.pid, number)
    lines = read_until(process, "goodbye")
    assert "Stopping ..." in lines
    assert process.wait(PATIENCE) == 0
    assert_ended(tmp_path, "web", "worker")
    assert usable_port(str(port)) == port


def test_programs_do_not_outlive_a_killed_supervisor(
    supervise: Callable[..., subprocess.Popen[str]], port: int, tmp_path: Path
) -> None:
    process = supervise("web", "worker")
    read_until(process, "Ready")
    process.kill()
    process.wait()
    assert_ended(tmp_path, "web", "worker")
    assert usable_port(str(port)) == port
    assert read_until(supervise("web", "worker"), "Ready")


def test_a_program_that_ends_by_itself_stops_the_rest(
    supervise: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    process = supervise("worker", "failing")
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert "failing | no reason to go on" in output
    assert "failing ended by itself (exit code 7): stopping the rest." in output
    assert output.index("no reason") < output.index("ended by itself")
    assert_ended(tmp_path, "worker")


def test_what_does_not_stop_is_killed_with_its_own_processes(
    supervise: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    process = supervise("stubborn")
    read_until(process, "nothing stops me")
    process.terminate()
    assert "stubborn did not stop within 1 s and is killed." in process.communicate(timeout=PATIENCE)[0]
    assert process.returncode == 0
    assert_ended(tmp_path, "stubborn")


def test_a_killed_leash_takes_its_program_along(
    supervise: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    process = supervise("web", "stubborn")
    read_until(process, "Ready")
    leash = next(
        child for child in psutil.Process(process.pid).children() if f"{tmp_path}/stubborn.py" in child.cmdline()
    )
    leash.kill()
    assert "stubborn ended by itself" in process.communicate(timeout=PATIENCE)[0]
    assert process.returncode == 1
    assert_ended(tmp_path, "web", "stubborn")


def test_a_port_in_use_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1]
        with pytest.raises(EnvironmentProblem, match=f"Port {number} is taken: .* `make run PORT={number + 1}`"):
            usable_port(str(number))


def test_a_port_whose_last_connection_was_just_closed_is_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        with socket.create_connection(address) as client:
            served, _ = server.accept()
            served.close()  # the side that closes first keeps the port for a minute, in TIME_WAIT
            assert client.recv(1) == b""
    assert usable_port(str(address[1])) == address[1]


@pytest.mark.parametrize("text", ["", "web", "0", "65536", "-1", "80.5", "²"])
def test_what_is_no_port_is_refused(text: str) -> None:
    with pytest.raises(EnvironmentProblem, match="There is no port"):
        usable_port(text)


def test_progress_tells_how_a_step_ended(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("Counting"):
        pass
    with pytest.raises(ZeroDivisionError), progress("Dividing"):
        _ = 1 / 0
    with pytest.raises(KeyboardInterrupt), progress("Waiting"):
        raise KeyboardInterrupt
    told = r"Counting \.\.\. done in \d\.\d s\nDividing \.\.\. failed\nWaiting \.\.\. stopped\n"
    assert re.fullmatch(told, capsys.readouterr().out)


NOWHERE = "postgres://nobody@127.0.0.1:1/nothing"


def manage(*arguments: str, database: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        check=False, cwd=PROJECT, env=os.environ | {"DATABASE_URL": database}, capture_output=True, text=True,
    )  # fmt: skip


def test_run_tells_of_a_taken_port_before_anything_else() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = str(server.getsockname()[1])
        result = manage("run", "--port", number, database=NOWHERE)
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.startswith(f"Port {number} is taken: ")
    assert result.stderr.count("\n") == 1


def test_mailed_links_lead_to_the_port_that_was_chosen(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    run = Command(stdout=StringIO())
    monkeypatch.setenv("PUBLIC_URL", "")
    monkeypatch.delenv("PUBLIC_URL")
    monkeypatch.setattr(run, "prepare", lambda **_: None)
    monkeypatch.setattr("core.management.commands.run.supervise", lambda *_, **__: 0)
    with override_settings(EMBEDDED_DATABASE=None), pytest.raises(SystemExit):
        run.handle(port=str(port), no_demo=True)
    assert os.environ["PUBLIC_URL"] == f"http://127.0.0.1:{port}"


def test_a_database_that_does_not_answer_is_told_in_a_sentence() -> None:
    result = manage("showmigrations", database=NOWHERE)
    assert result.returncode == 2
    assert result.stderr.startswith("The database does not answer, start it or correct DATABASE_URL: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("command", "needed"),
    [
        ("migrate", True), ("shell", True), ("check --database default", True), ("check --deploy", False),
        ("help", False), ("migrate --help", False), ("run --port 1", False), ("collectstatic", False),
    ],
)  # fmt: skip
def test_the_database_runs_for_commands_that_need_it(command: str, needed: bool) -> None:
    name, *options = command.split()
    assert needs_database(name, options) is needed
