"""docs/requirements.md says of each requirement where it stands; here is what keeps it from saying more than is so."""

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from django.apps import apps
from django.utils.text import slugify

from accounts.permissions import APPS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "requirements.md").read_text()

LAST = {"000": 88, "001": 119, "002": 133, "003": 101, "004": 81, "C": 9}
EXPECTED = [f"{source}-{number:02}" for source, last in LAST.items() for number in range(1, last + 1)]
CLUSTERS = {"accounts", "API", "events", "messages", "alerts", "watches", "imports", "inventory", "orders", "deploy"}
FILE = re.compile(r"[\w.-]+(/[\w.-]+)*(\.(py|md|json|toml|in|txt|html)|(?<=^\.ci/)run)")


class Line(NamedTuple):
    id: str
    what: str
    state: str
    where: str

    @property
    def references(self) -> list[str]:
        """What is named in code type and is a file, with or without something in it."""
        quoted = re.findall(r"`([^`]+)`", self.where)
        return [text for text in quoted if "::" in text or FILE.fullmatch(text.partition("#")[0])]


LINES = [Line(*found) for found in re.findall(r"^\| (\d{3}-\d+|C-\d+) \| (.+?) \| (\w+) \| (.+) \|$", PAGE, re.M)]


def test_every_requirement_is_there_once() -> None:
    assert len(EXPECTED) == 531
    assert [line.id for line in LINES] == EXPECTED


def test_the_count_is_right() -> None:
    states = Counter(line.state for line in LINES)
    assert f"**531 lines: {states['met']} met, {states['part']} part, {states['planned']} planned.**" in PAGE
    assert sum(states.values()) == states["met"] + states["part"] + states["planned"]


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.id)
def test_a_line_says_what_its_state_demands(line: Line) -> None:
    if line.state == "planned":
        assert line.where in CLUSTERS
        return
    assert line.references or line.state == "part", "nothing shows it"
    assert [text for text in line.references if not exists(text)] == []
    missing = re.findall(r"\((\w+)\): ", line.where)
    assert set(missing) <= CLUSTERS
    assert ("Missing (" in line.where and bool(missing)) == (line.state == "part")


def test_what_else_the_page_names_exists() -> None:
    named = re.findall(r"`([\w./-]+\.(?:py|md|json))`", PAGE)
    assert [text for text in named if not exists(text)] == []


def test_the_number_of_models_is_right() -> None:
    ours = sum(len(list(apps.get_app_config(name).get_models())) for name in APPS)
    assert re.findall(r"(\d+) models[.,]", PAGE) == [str(ours)] * 2


def exists(reference: str) -> bool:
    path, _, name = reference.partition("::")
    path, _, anchor = path.partition("#")
    file = located(path)
    if not file:
        return False
    if anchor:
        return anchor in {slugify(title) for title in re.findall(r"^#+ (.+)$", file.read_text(), re.M)}
    if name and file.name.startswith("test_"):
        return name in functions(file)
    return not name or re.search(rf"\b{re.escape(name)}\b", file.read_text()) is not None


def located(path: str) -> Path | None:
    """A test's folder is below tests/, which goes without saying."""
    return next((file for file in (ROOT / path, ROOT / "tests" / path) if file.is_file()), None)


@cache
def functions(file: Path) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.FunctionDef)}
