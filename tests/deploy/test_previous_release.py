"""Which release was the one before, whose tests `make previous` runs on the schema of now."""

import subprocess
from pathlib import Path

import pytest

from scripts.previous.__main__ import MAIN_FLOWS, Unknown, main, release_before

ROOT = Path(__file__).resolve().parents[2]


class Repository:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.git("init", "--quiet")

    def git(self, *arguments: str) -> str:
        own = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false"]
        command = ["git", *own, *arguments]
        return subprocess.run(command, check=True, cwd=self.folder, capture_output=True, text=True).stdout.strip()

    def write(self, path: str) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(path)

    def commit(self, path: str) -> str:
        self.write(path)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", path)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repository")


def test_without_tags_it_is_the_code_before_the_newest_migration(repository: Repository) -> None:
    repository.commit("orders/migrations/0001.py")
    before = repository.commit("orders/api.py")
    repository.commit("orders/migrations/0002.py")
    repository.commit("README.md")
    assert release_before(repository.folder) == before


def test_with_tags_it_is_the_newest_one_before_this(repository: Repository) -> None:
    repository.commit("orders/migrations/0001.py")
    repository.git("tag", "v1.0")
    repository.commit("orders/migrations/0002.py")
    assert release_before(repository.folder) == "v1.0"
    repository.git("tag", "v1.1")
    assert release_before(repository.folder) == "v1.0", "what is released now is not before itself"
    repository.commit("orders/api.py")
    assert release_before(repository.folder) == "v1.1"


def test_a_migration_that_is_being_written_is_tried_on_the_last_commit(repository: Repository) -> None:
    repository.commit("orders/migrations/0001.py")
    last = repository.commit("orders/migrations/0002.py")
    repository.write("orders/migrations/0003.py")
    assert release_before(repository.folder) == last


def test_a_clone_without_history_says_so(repository: Repository, tmp_path: Path) -> None:
    repository.commit("orders/migrations/0001.py")
    repository.commit("orders/migrations/0002.py")
    repository.git("clone", "--quiet", "--depth", "1", f"file://{repository.folder}", str(tmp_path / "clone"))
    with pytest.raises(Unknown, match=r"no history \(git fetch --unshallow"):
        release_before(tmp_path / "clone")


def test_a_release_that_nobody_knows(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--release", "v0.0.0-nobody"]) == 2
    assert "Nothing was tested" in capsys.readouterr().out


def test_the_main_flows_are_tests_of_ours() -> None:
    assert [path for path in MAIN_FLOWS if not (ROOT / path).is_file()] == []
