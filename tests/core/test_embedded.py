"""Real servers, in folders of their own."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import psycopg
import pytest

from core.embedded import EnvironmentProblem, admin_dsn, running, socket_folder, stop

PROJECT = Path(__file__).resolve().parents[2]
HOLD = """
import sys
from pathlib import Path
from core.embedded import running
with running(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


class Holder:
    """Another process that needs the server."""

    def __init__(self, data: Path) -> None:
        command = [sys.executable, "-c", HOLD, str(data)]
        self.process = subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def wait_until_held(self) -> None:
        assert self.process.stdout
        assert self.process.stdout.readline() == b"held\n"

    def leave(self) -> None:
        self.process.communicate()
        assert self.process.returncode == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@contextmanager
def held_elsewhere(data: Path) -> Iterator[Holder]:
    holder = Holder(data)
    try:
        holder.wait_until_held()
        yield holder
    finally:
        if holder.process.returncode is None:
            holder.leave()


def ask(data: Path, question: str) -> object:
    with psycopg.connect(admin_dsn(data), autocommit=True) as connection:
        row = connection.execute(question).fetchone()  # type: ignore[call-overload]  # a constant of these tests
    return row and row[0]


def started_at(data: Path) -> object:
    return ask(data, "SELECT pg_postmaster_start_time()")


def assert_stopped(data: Path) -> None:
    assert not (data / "postmaster.pid").exists()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(admin_dsn(data))


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not tmp_path: pytest closes the folder above it to all others, among them the account that serves root.
    with tempfile.TemporaryDirectory(prefix="quartermaster-test-") as name:
        yield Path(name)


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="quartermaster-test-") as name:
        yield Path(name) / ".data" / "postgres"


@pytest.fixture
def long_path(folder: Path) -> Iterator[Path]:
    data = folder / "a folder, with a 'long' name".ljust(120, "_") / "postgres"
    yield data
    with suppress(FileNotFoundError):
        shutil.rmtree(socket_folder(data))


def test_runs_while_it_is_held(data: Path) -> None:
    with running(data):
        assert ask(data, "SELECT 'up'") == "up"
    assert_stopped(data)


def test_listens_on_a_private_socket_only(data: Path) -> None:
    with running(data):
        assert ask(data, "SHOW listen_addresses") == ""
        assert ask(data, "SHOW unix_socket_permissions") == "0700"
        assert stat.S_IMODE(socket_folder(data).stat().st_mode) == 0o700


def test_settings_are_in_force(data: Path) -> None:
    with running(data):
        assert ask(data, "SHOW max_connections") == "100"
        assert ask(data, "SHOW fsync") == "on"
        assert ask(data, "SHOW server_encoding") == "UTF8"


def test_stops_when_the_last_of_two_leaves(data: Path) -> None:
    with held_elsewhere(data) as other:
        with running(data):
            first = started_at(data)
        assert started_at(data) == first
        other.leave()
        assert_stopped(data)


def test_processes_that_start_at_once_share_one_server(folder: Path) -> None:
    data = folder / "postgres"
    holders = [Holder(data) for _ in range(4)]
    for holder in holders:
        holder.wait_until_held()
    servers = ask(data, "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'checkpointer'")
    for holder in holders:
        holder.leave()
    assert servers == 1
    assert_stopped(data)


def test_the_server_of_a_killed_process_is_used_on_and_then_stopped(data: Path) -> None:
    with held_elsewhere(data) as other:
        first = started_at(data)
        other.kill()
    with running(data):
        assert started_at(data) == first
    assert_stopped(data)


def test_recovers_when_the_server_was_killed_and_its_number_is_anothers(data: Path) -> None:
    with held_elsewhere(data) as other:
        with psycopg.connect(admin_dsn(data), autocommit=True) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
        pid_file = data / "postmaster.pid"
        number = pid_file.read_text().splitlines()[0]
        other.kill()
    os.kill(int(number), signal.SIGKILL)
    bystander = subprocess.Popen(["sleep", "600"], user=data.stat().st_uid)
    for file in (pid_file, socket_folder(data) / ".s.PGSQL.5432.lock"):
        file.write_text(file.read_text().replace(number, str(bystander.pid), 1))

    try:
        with running(data):
            assert ask(data, "SELECT number FROM kept") == 7
        assert_stopped(data)
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_half_made_folder_is_made_anew(folder: Path) -> None:
    unfinished = folder / "postgres.new"
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("18")
    with running(folder / "postgres"):
        assert ask(folder / "postgres", "SELECT 1") == 1
    assert not unfinished.exists()


def test_a_path_too_long_for_a_socket(long_path: Path) -> None:
    place = socket_folder(long_path)
    assert len(os.fsencode(place)) < 60
    assert place == socket_folder(long_path.parent / "." / "postgres")
    assert place != socket_folder(long_path.parent / "postgres2")
    with running(long_path):
        assert ask(long_path, "SELECT 1") == 1
        assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert_stopped(long_path)


def test_a_server_whose_files_were_removed_makes_way(long_path: Path) -> None:
    with held_elsewhere(long_path) as other:
        left_behind = psutil.Process(int((long_path / "postmaster.pid").read_text().splitlines()[0]))
        other.kill()
    shutil.rmtree(long_path.parent)
    with running(long_path):
        assert ask(long_path, "SELECT 1") == 1
        left_behind.wait(timeout=60)


def test_somebody_elses_folder_in_the_place_of_the_socket_is_refused(long_path: Path) -> None:
    socket_folder(long_path).mkdir()
    socket_folder(long_path).chmod(0o777)
    with pytest.raises(EnvironmentProblem, match="remove it, then try again"), running(long_path):
        pass


@pytest.mark.parametrize("name", ["with blanks", "it's", "comma, comma", "über"])
def test_a_path_with(name: str, folder: Path) -> None:
    data = folder / name / "postgres"
    try:
        with running(data):
            assert ask(data, "SELECT 1") == 1
    finally:
        if socket_folder(data) != data:
            shutil.rmtree(socket_folder(data))


def test_a_path_that_postgresql_would_give_to_a_shell(folder: Path) -> None:
    with pytest.raises(EnvironmentProblem, match="cannot work in"), running(folder / "$(touch trace)" / "postgres"):
        pass


def test_other_files_are_left_alone(folder: Path) -> None:
    (folder / "postgres").mkdir()
    (folder / "postgres" / "letter.txt").write_text("Dear Ada")
    with pytest.raises(EnvironmentProblem, match="move them away"), running(folder / "postgres"):
        pass
    assert (folder / "postgres" / "letter.txt").read_text() == "Dear Ada"


def test_a_folder_that_cannot_be_made(folder: Path) -> None:
    (folder / ".data").write_text("a file")
    with pytest.raises(EnvironmentProblem, match="cannot be written"), running(folder / ".data" / "postgres"):
        pass


def test_a_setting_that_postgresql_refuses_is_told(data: Path) -> None:
    with running(data):  # which makes it, where this test comes first
        pass
    with (data / "postgresql.auto.conf").open("a") as file:
        file.write("shared_buffers = 'plenty'\n")
    with pytest.raises(EnvironmentProblem, match=r"look into .*server.log .*FATAL"), running(data):
        pass
    (data / "postgresql.auto.conf").write_text("")
    with running(data):
        assert ask(data, "SELECT 1") == 1


def test_variables_for_another_server_do_not_matter(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PGPORT": "5999", "PGDATA": "/nowhere", "PGHOST": "elsewhere", "PGUSER": "nobody"}.items():
        monkeypatch.setenv(name, value)
    with running(data):
        assert ask(data, "SELECT current_user || current_setting('port')") == "postgres5432"


def test_stop_spares_a_server_in_use_and_ends_one_left_behind(data: Path) -> None:
    with held_elsewhere(data) as other:
        with pytest.raises(EnvironmentProblem, match="in use"):
            stop(data)
        assert ask(data, "SELECT 1") == 1
        other.kill()
    stop(data)
    assert_stopped(data)


def test_stop_where_nothing_is(folder: Path) -> None:
    stop(folder / "postgres")
    assert not list(folder.iterdir())
