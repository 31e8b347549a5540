"""The tour of the API is typed into a shell, line by line, as a newcomer would."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings as settings_

from accounts.permissions import MANAGER
from tests.companies import PASSWORD, Company

TOUR = Path(settings_.BASE_DIR) / "docs/guide/api.md"
MARK = "== end of the answer =="


class Step(NamedTuple):
    command: str
    answer: str  # with ... for whatever


def steps(page: str) -> list[Step]:
    found: list[Step] = []
    for block in re.findall(r"^```console\n(.*?)^```", page, re.M | re.S):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append(Step(line[2:], ""))
            else:
                found[-1] = Step(found[-1].command, f"{found[-1].answer}{line}\n")
    return found


def fits(answer: str, shown: str) -> bool:
    pattern = ".*".join(re.escape(part) for part in shown.strip().split("..."))
    return re.fullmatch(pattern, answer.strip(), re.S) is not None


def test_the_tour_can_be_followed(server: str, new_company: Callable[[], Company], settings: Any) -> None:
    settings.HEADLESS_JWT_ACCESS_TOKEN_EXPIRES_IN = 3600  # as the page shows it
    company = new_company()
    page = TOUR.read_text()
    ours = {
        "http://127.0.0.1:8000": server, "manager@northwind.example": company.members[MANAGER].user.email,
        "admin@northwind.example": company.user.email, "demo-quartermaster": PASSWORD,
        '"northwind"': f'"{company.organization.slug}"',
    }  # fmt: skip
    for theirs, mine in ours.items():
        assert theirs in page
        page = page.replace(theirs, mine)
    tour = steps(page)
    assert len(tour) > 20
    script = "".join(f"{step.command}\necho; echo '{MARK}'\n" for step in tour)
    done = subprocess.run(["bash"], input=script, capture_output=True, text=True, timeout=300, check=False)
    answers = done.stdout.replace("\r", "").split(f"\n{MARK}\n")[:-1]
    assert len(answers) == len(tour), done.stderr
    wrong = [
        f"$ {step.command}\n{answer}\n--- the page shows ---\n{step.answer}"
        for step, answer in zip(tour, answers, strict=True) if not fits(answer, step.answer)
    ]
    assert not wrong, "\n\n".join(wrong)
    assert not done.stderr


def test_a_page_that_lies_is_found() -> None:
    [first, second] = steps("```console\n$ a=1\n$ echo $a\n{...1,\n2}\n```")
    assert first == Step("a=1", "") and second.answer == "{...1,\n2}\n"
    assert fits('{"x":1,\n2}', second.answer) and not fits('{"x":1,\n3}', second.answer)
