"""Runs programs side by side in one terminal, until a signal comes or one of them ends."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from queue import SimpleQueue
from types import FrameType
from typing import NamedTuple

from core.embedded import EnvironmentProblem

PROJECT = Path(__file__).resolve().parents[1]
HOST = "127.0.0.1"
LAST_RUN_ENDS = 2  # seconds within which the web server of a run that was killed gives up its port
GRACE = 10  # seconds from SIGTERM to SIGKILL
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Program:
    name: str
    command: list[str]


@dataclass(frozen=True, slots=True)
class Ended:
    name: str
    code: int


class Call(Enum):
    READY = 1
    STOP = 2


type Events = SimpleQueue[Ended | Call]


def usable_port(text: str) -> int:
    """Raises EnvironmentProblem unless a server may listen there, on the loopback address."""
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise EnvironmentProblem(f"There is no port {text!r}: choose a number as in `make run PORT=8001`.")
    port = int(text)
    deadline = time.monotonic() + LAST_RUN_ENDS
    while _is_taken(port):
        if time.monotonic() > deadline:
            other = port + 1 if port < 65535 else 8001
            raise EnvironmentProblem(
                f"Port {port} is taken: stop what uses it, or choose another with `make run PORT={other}`."
            )
        time.sleep(0.1)
    return port


def _is_taken(port: int) -> bool:
    with socket.socket() as visitor:
        if visitor.connect_ex((HOST, port)) == 0:
            return True
    with socket.socket() as probe:
        # As servers do: a connection closed a moment ago does not take the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except PermissionError as error:
            raise EnvironmentProblem(
                f"Port {port} is for administrators only: choose another with `make run PORT=8001`."
            ) from error
        except OSError:
            return True
    return False


def answers(port: int) -> bool:
    """Whether a web server answers, whatever it says."""
    connection = http.client.HTTPConnection(HOST, port, timeout=10)
    try:
        connection.request("GET", "/healthz")
        connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


@contextmanager
def progress(title: str) -> Iterator[None]:
    """`title ... done in 4 s`"""
    started = time.monotonic()
    write(f"{title} ... ")
    try:
        yield
    except BaseException as error:
        write("stopped\n" if isinstance(error, KeyboardInterrupt) else "failed\n")
        raise
    seconds = time.monotonic() - started
    write(f"done in {seconds:.{1 if seconds < 10 else 0}f} s\n")


class Running(NamedTuple):
    process: subprocess.Popen[str]
    relaying: threading.Thread  # says what it says


def supervise(programs: list[Program], *, ready: Callable[[], bool], announcement: str) -> int:
    """Returns the exit code: 0 after a signal, 1 when a program ended by itself."""
    events: Events = SimpleQueue()

    def on_signal(_signal: int, _frame: FrameType | None) -> None:
        events.put(Call.STOP)

    previous = {number: signal.signal(number, on_signal) for number in STOP_SIGNALS}
    finished = threading.Event()
    reading, writing = os.pipe()
    running: dict[str, Running] = {}
    try:
        for program in programs:
            running[program.name] = _start(program, reading, events)
        threading.Thread(target=_watch, args=[ready, finished, events], daemon=True).start()
        event = events.get()
        if event is Call.READY:
            _say(announcement)
            event = events.get()
        if isinstance(event, Ended):
            _say(f"{event.name} ended by itself (exit code {event.code}): stopping the rest.")
            return 1
        _say("Stopping ...")
        return 0
    finally:
        finished.set()
        _stop(running)
        os.close(reading)
        os.close(writing)
        for number, handler in previous.items():
            signal.signal(number, handler)


def _start(program: Program, leash: int, events: Events) -> Running:
    process = subprocess.Popen(  # noqa: S603  # commands written in this project
        [sys.executable, "-m", "core.leash", str(leash), *program.command],
        cwd=PROJECT, pass_fds=[leash], env=os.environ | {"PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        start_new_session=True,  # Ctrl-C is for us alone, who then stop the programs in order
    )  # fmt: skip

    def relay() -> None:
        for line in process.stdout or ():
            _say(f"{program.name:<6} | {line.rstrip()}")

    def await_end() -> None:
        code = process.wait()
        relaying.join(timeout=1)  # its last words first; a process of its own may still hold the pipe
        events.put(Ended(program.name, code))

    relaying = threading.Thread(target=relay, daemon=True)
    relaying.start()
    threading.Thread(target=await_end, daemon=True).start()
    return Running(process, relaying)


def _watch(ready: Callable[[], bool], finished: threading.Event, events: Events) -> None:
    while not ready():
        if finished.wait(0.1):
            return
    events.put(Call.READY)


def _say(line: str) -> None:
    with suppress(OSError):  # a closed terminal must not keep us from stopping in order
        write(f"{line}\n")


def _stop(running: dict[str, Running]) -> None:
    deadline = time.monotonic() + GRACE
    for process, _ in running.values():
        process.terminate()
    for name, (process, relaying) in running.items():
        try:
            process.wait(max(0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            _say(f"{name} did not stop within {GRACE} s and is killed.")
        with suppress(ProcessLookupError, PermissionError):  # nobody, or only the dead, are left in its group
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        relaying.join(timeout=1)  # its last words
