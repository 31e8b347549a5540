"""A server of one's own: the commands of deploy/, run as its units run them."""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from django.conf import settings

from tests.companies import Company
from tests.deploy.test_on_lambda import HOST, as_admin, environment

ROOT = Path(settings.BASE_DIR)
DEPLOY = ROOT / "deploy"
BY_HTTPS = {"Host": HOST, "X-Forwarded-Proto": "https"}  # as the proxy in front of it says
SECONDS = 120  # at most, for a machine that has much else to do

HELD = {"SECRET_KEY": settings.SECRET_KEY}


def command(unit: str) -> list[str]:
    """What it starts, with our own Python in the place of the installed one."""
    found = re.search(r"(?m)^ExecStart=/opt/quartermaster/\.venv/bin/(\w+) (.+)$", (DEPLOY / unit).read_text())
    assert found
    program = [] if found[1] == "python" else ["-m", found[1]]
    return [sys.executable, *program, *shlex.split(found[2])]


@pytest.fixture
def web(commits: None, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], httpx2.Client]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    variables = {**os.environ, **environment(tmp_path, HELD), "PORT": str(port), "WEB_CONCURRENCY": "1"}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command("quartermaster-web.service"), cwd=ROOT, env=variables, stdout=log, stderr=log)
    with process, httpx2.Client(base_url=f"http://127.0.0.1:{port}", headers=BY_HTTPS) as client:
        try:
            _wait_for(port, process, tmp_path / "log")
            yield process, client
        finally:
            process.kill()


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail(log.read_text())


def test_the_web_server_answers_behind_its_proxy_and_ends_when_told(
    web: tuple[subprocess.Popen[bytes], httpx2.Client], new_company: Callable[[], Company],
) -> None:
    process, client = web
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json()["database"] == "ok"
    found = client.get("/api/v1/parties/", headers=as_admin(new_company()))
    assert (found.status_code, found.json()["results"]) == (200, [])
    assert client.get("/api/v1/parties/", headers={"X-Forwarded-Proto": "http"}).status_code == 301
    process.send_signal(signal.SIGTERM)
    assert process.wait(SECONDS) == 0


def test_the_worker_starts_from_the_same_environment(commits: None, tmp_path: Path) -> None:
    once = [*command("quartermaster-worker.service"), "--once"]
    done = subprocess.run(
        once, check=False, cwd=ROOT, env={**os.environ, **environment(tmp_path, HELD)}, capture_output=True, text=True,
        timeout=SECONDS,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_the_container_takes_what_is_there_and_starts_the_same() -> None:
    lines = (DEPLOY / "Containerfile").read_text().replace("\\\n", "")
    copied = [source for line in re.findall(r"(?m)^COPY (?!--from)(.+) \S+$", lines) for source in line.split()]
    ignore = (ROOT / ".dockerignore").read_text().splitlines()
    assert [source for source in copied if not (ROOT / source).exists() or f"!{source}" not in ignore] == []
    started = re.findall(r'"([^"]+)"', lines[lines.index("CMD ["):])
    assert started[1:] == command("quartermaster-web.service")[3:]
