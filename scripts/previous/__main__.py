"""The code of the release before, on the schema of now: what happens between a migration and new code, and after a rollback.

Takes the former code out of git into .cache/previous, lets it migrate a database and the code of now upgrade that, and runs the
former code's own tests of the main flows on it. The packages are those of now.
"""

import argparse
import io
import os
import shutil
import subprocess
import sys
import tarfile
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
FOLDER = PROJECT / ".cache" / "previous"
MIGRATIONS = "*/migrations/*.py"
# What a company does all day. Of a release that has some of them not yet, the others are run.
MAIN_FLOWS = (
    "tests/accounts/test_sessions.py",
    "tests/inventory/test_main_job.py",
    "tests/inventory/test_posting.py",
    "tests/inventory/test_reservations.py",
    "tests/inventory/test_transfers.py",
    "tests/inventory/test_counts.py",
    "tests/orders/test_purchasing.py",
    "tests/orders/test_sales_orders_api.py",
    "tests/orders/test_fulfilment.py",
    "tests/orders/test_invoices.py",
    "tests/orders/test_returns.py",
    "tests/notifications/test_webhooks.py",
)
# Races and properties take most of the time, and say nothing of the schema.
WITHOUT = "not whatever_is_posted and not many_try and not processes"


class Unknown(Exception):
    """There is no release before, or git does not have it. The message says why."""


def git(*arguments: str, project: Path = PROJECT) -> str:
    """Raises Unknown."""
    try:
        result = subprocess.run(["git", *arguments], check=True, cwd=project, capture_output=True, text=True)
    except OSError as error:
        raise Unknown("git is not installed") from error
    except subprocess.CalledProcessError as error:
        raise Unknown(error.stderr.strip().partition("\n")[0] or f"git {arguments[0]} failed") from error
    return result.stdout.strip()


def release_before(project: Path = PROJECT) -> str:
    """The highest tag before this commit; without tags the newest commit with other migrations. Raises Unknown."""
    if git("rev-parse", "--is-shallow-repository", project=project) == "true":
        raise Unknown("this clone has no history (git fetch --unshallow brings it)")
    if git("status", "--porcelain", "--", MIGRATIONS, project=project):
        return git("rev-parse", "HEAD", project=project)
    tags = git("tag", "--list", "v*", "--merged", "HEAD", "--no-contains", "HEAD", "--sort", "-version:refname", project=project)
    if tags:
        return tags.splitlines()[0]
    changed = git("log", "-1", "--first-parent", "--format=%H", "--", MIGRATIONS, project=project)
    if not changed:
        raise Unknown("no commit has a migration")
    return git("rev-parse", f"{changed}^", project=project)


def take_out(commit: str, folder: Path) -> None:
    """Raises Unknown."""
    git("rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    archive = subprocess.run(["git", "archive", "--format=tar", commit], check=True, cwd=PROJECT, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(folder, filter="data")


def run_tests(folder: Path, options: list[str]) -> int:
    plugin = Path(__file__).with_name("schema_of_now.py")
    environment = {**os.environ, "PYTHONPATH": str(plugin.parent), "CODE_OF_NOW": str(PROJECT)}
    files = [file for file in MAIN_FLOWS if (folder / file).exists()]
    command = [sys.executable, "-m", "pytest", "-p", plugin.stem, "-p", "no:cacheprovider", "-k", WITHOUT, *files, *options]
    return subprocess.run(command, check=False, cwd=folder, env=environment).returncode


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="make previous", description=__doc__.partition("\n")[0])
    parser.add_argument("--release", default="", help="a tag or a commit, in the place of the one before")
    options, for_pytest = parser.parse_known_args(arguments)
    try:
        commit = options.release or release_before()
        name = git("log", "-1", "--format=%h (%cs, %s)", commit)
        take_out(commit, FOLDER)
    except Unknown as reason:
        print(f"The code of before cannot be had: {reason}. Nothing was tested.")
        return 2 if options.release else 0
    print(f"The tests of {name} on the schema of now:", flush=True)
    started = time.monotonic()
    try:
        failed = run_tests(FOLDER, for_pytest)
    finally:
        shutil.rmtree(FOLDER, ignore_errors=True)
    if failed:
        print("The code of before does not work on the schema of now: see docs/operations/deploying.md, Upgrade.")
    else:
        print(f"The code of before works on the schema of now, as far as these go ({time.monotonic() - started:.0f} s).")
    return int(failed != 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
