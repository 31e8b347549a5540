"""The example of the page on watches is typed into a shell, line by line, while a worker is at work."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

import pytest
from django.conf import settings
from django.core import mail
from django.db import connections

from notifications.services.jobs import job_claim
from notifications.services.running import job_run
from tests.companies import PASSWORD, Company
from tests.docs.test_tour import MARK, fits, steps
from tests.notifications.at_work import quiet
from tests.notifications.receiver import receiver

PAGE = Path(settings.BASE_DIR) / "docs/guide/watches.md"


@pytest.fixture
def at_work(commits: None) -> Iterator[None]:
    quiet()
    stopped = Event()

    def work() -> None:
        while not stopped.wait(0.05):
            while attempt := job_claim():
                job_run(attempt)
        connections.close_all()

    thread = Thread(target=work)
    thread.start()
    yield
    stopped.set()
    thread.join()


def typed(script: str, folder: Path) -> tuple[str, str]:
    """What the shell says. What it has started ends with it."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        ["bash"], stdin=pipe, stdout=pipe, stderr=pipe, text=True, cwd=folder, start_new_session=True,
    ) as shell:  # fmt: skip
        try:
            return shell.communicate(script, timeout=300)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)


def test_the_example_can_be_followed(
    server: str, new_company: Callable[[], Company], at_work: None, tmp_path: Path,
) -> None:
    company, page = new_company(), PAGE.read_text()
    with receiver() as free:
        port = str(free.port)
    ours = {
        "http://127.0.0.1:8000": server, "admin@northwind.example": company.user.email, "demo-quartermaster": PASSWORD,
        "8009": port,
    }  # fmt: skip
    for theirs, mine in ours.items():
        assert theirs in page
        page = page.replace(theirs, mine)
    tour = steps(page)
    assert len(tour) > 15
    script = "".join(f"{step.command}\necho; echo '{MARK}'\n" for step in tour)
    said, complaints = typed(script, tmp_path)
    answers = said.replace("\r", "").split(f"\n{MARK}\n")[:-1]
    assert len(answers) == len(tour), complaints
    wrong = [
        f"$ {step.command}\n{answer}\n--- the page shows ---\n{step.answer}"
        for step, answer in zip(tour, answers, strict=True) if not fits(answer, step.answer)
    ]
    assert not wrong, "\n\n".join(wrong)
    [told] = [message for message in mail.outbox if company.user.email in message.to]
    assert "Copper, a kilogram crossed 12.5: 12.4 -> 12.6" in told.body
