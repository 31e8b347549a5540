"""The pages a reader follows: links lead somewhere, commands and variables are those that there are."""

import re
from pathlib import Path
from textwrap import dedent

import pytest
from django.core.management import get_commands, load_command_class
from django.urls import Resolver404, resolve
from django.utils.text import slugify

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(page for folder in ("docs", "demo", "bench") for page in (ROOT / folder).rglob("*.md"))])
SETTINGS = "".join(file.read_text() for file in [*(ROOT / "config" / "settings").glob("*.py"), ROOT / "manage.py"])

OURS = "".join(
    file.read_text() for app in ("core", "accounts", "notifications", "inventory", "orders", "config")
    for file in (ROOT / app).rglob("*.py")
) + (ROOT / "deploy" / "gunicorn.conf.py").read_text()
# Read by the tools that we use, not by us.
OF_OTHERS = {"DJANGO_SETTINGS_MODULE", "REMOTE_ADDR"}

SOME_ID = "01a1fdd4-177b-70f6-ad99-54ce21a902a0"

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text())
    assert [link for link in links if "://" not in link and not leads_somewhere(page, link)] == []


@each_page
def test_commands_exist(page: Path) -> None:
    named = set(re.findall(r"manage\.py (\w+)", page.read_text()))
    assert named - get_commands().keys() == set()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    assert set(re.findall(r"`make ([\w-]+)", page.read_text())) - targets == set()


@each_page
def test_examples_call_the_api_by_the_same_names(page: Path) -> None:
    """$H is the address and $T the token, and a page that uses them says where they are from."""
    text = page.read_text()
    assert re.findall(r"curl[^\n]*(\$(?:URL|HOST|QM|TOKEN)\b)", text) == []
    uses, says = "$H/" in text, re.search(r"^\s*(?:\$ )?H=http|`\$?H`", text, re.M)
    assert not uses or says, "say where $H and $T are from"


@each_page
def test_options_exist(page: Path) -> None:
    for command, rest in re.findall(r"manage\.py (\w+)((?:[^`\n#|\\]|\\\n)*)", page.read_text()):
        parser = load_command_class(get_commands()[command], command).create_parser("manage.py", command)
        known = {option for action in parser._actions for option in action.option_strings}
        assert set(re.findall(r"(?<!\S)\[?(--[a-z][\w-]*)", rest)) - known == set(), command


@each_page
def test_settings_exist(page: Path) -> None:
    """What is written in capitals, in code type and alone, is a setting, a variable or a name of ours."""
    named = set(re.findall(r"`([A-Z][A-Z0-9]+(?:_[A-Z0-9]+)+)(?:=[^`]*)?`", page.read_text()))
    assert [name for name in named - OF_OTHERS if not is_ours(name)] == []


def test_the_page_on_running_has_every_variable_that_a_setting_reads() -> None:
    page = (ROOT / "docs" / "operations" / "running.md").read_text()
    read = set(re.findall(r"\benv(?:\.\w+)?\(\s*\"([A-Z_]+)\"", SETTINGS))
    assert len(read) > 20
    assert [name for name in read if f"`{name}`" not in page] == []


@each_page
def test_variables_are_read_by_some_setting(page: Path) -> None:
    """The roles' addresses are named by a pattern in the settings."""
    named = set(re.findall(r"export (\w+)=", page.read_text()))
    assert [name for name in named if name not in SETTINGS and not is_address_of_a_role(name)] == []


@each_page
def test_addresses_exist(page: Path) -> None:
    named = re.findall(r"(?:\$H|`(?:GET |POST )?/api/v1)(/[a-z][^\s`\"')?#]*)", page.read_text())
    assert [address for address in named if not is_an_address(address)] == []


@each_page
def test_addresses_named_with_a_method_exist(page: Path) -> None:
    """Behind /api/v1 or, if they say so themselves, elsewhere. requirements.md quotes those of older systems."""
    if page.name == "requirements.md":
        return
    named = re.findall(r"(?:GET|POST|PUT|PATCH|DELETE) (/[a-z][\w/<>{}$-]*)", page.read_text())
    assert [address for address in named if not (is_an_address(address) or is_an_address(address, ""))] == []


def test_the_example_of_an_entity_is_the_code() -> None:
    page = (ROOT / "docs" / "guide" / "adding-an-entity.md").read_text()
    blocks = re.findall(r"^ *```python\n(.*?)```", page, re.M | re.S)
    shown = [part for block in blocks for part in dedent(block).strip().split("\n\n\n")]
    assert len(shown) == 5
    assert [part for part in shown if part.strip() not in OURS] == []


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) < 150


def is_ours(name: str) -> bool:
    kept_elsewhere = name.endswith("_SECRET") and f'from_secret("{name.removesuffix("_SECRET")}"' in SETTINGS
    return re.search(rf"\b{name}\b", OURS) is not None or is_address_of_a_role(name) or kept_elsewhere


def is_address_of_a_role(name: str) -> bool:
    return re.fullmatch(r"(OWNER|APP|WORKER)_DATABASE_(URL|SECRET)", name) is not None


def is_an_address(address: str, below: str = "/api/v1") -> bool:
    """A shell's variable, <id> or {id} is some id."""
    try:
        resolve(below + re.sub(r"\$\w+|<\w+>|{\w+}", SOME_ID, address))
    except Resolver404:
        return False
    return True


def leads_somewhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = page.parent / path if path else page
    if not anchor:
        return target.exists()
    return target.is_file() and anchor in {slugify(title) for title in re.findall(r"^#+ (.+)$", target.read_text(), re.M)}
