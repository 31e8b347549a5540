"""Every check of the code that is not a test, one line each; the output of those that fail."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
PYTHON = sys.executable
# Beside the interpreter: these two cannot be run as modules.
LINT_IMPORTS = str(Path(PYTHON).with_name("lint-imports"))

# `check --deploy` is about the settings of a server; no value of these is used.
DEPLOYED = {
    "DJANGO_SETTINGS_MODULE": "config.settings.lambda_",
    "SECRET_KEY": "no-secret-but-long-enough-for-this-check-0123456789",
    "ALLOWED_HOSTS": "quartermaster.example.com",
    "DATABASE_URL": "postgres://app@localhost/quartermaster",
}

CHECKS: dict[str, tuple[list[str], dict[str, str]]] = {
    "types": ([PYTHON, "-m", "mypy", "."], {}),
    "style": ([PYTHON, "-m", "ruff", "check", "."], {}),
    "layers": ([LINT_IMPORTS], {}),
    "templates": ([PYTHON, "-m", "djlint", "--lint", "--allow-empty-input", "."], {}),
    "migrations are complete": ([PYTHON, "manage.py", "makemigrations", "--check", "--dry-run"], {}),
    "migrations are safe": ([PYTHON, "-m", "scripts.check_migrations"], {}),
    "settings for a server": (
        [PYTHON, "manage.py", "check", "--deploy", "--fail-level", "WARNING"], DEPLOYED,
    ),
}  # fmt: skip


def output_of(command: list[str], variables: dict[str, str]) -> tuple[float, str | None]:
    """How long it took, and what it said if it failed."""
    started = time.monotonic()
    result = subprocess.run(
        command, check=False, cwd=PROJECT, env=os.environ | variables,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    return time.monotonic() - started, result.stdout.strip() if result.returncode else None


def main() -> int:
    failed = False
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # the longest one first
        results = {name: pool.submit(output_of, *check) for name, check in CHECKS.items()}
        for name, result in results.items():
            seconds, complaint = result.result()
            print(f"{name:<24} ... {'ok' if complaint is None else 'failed'} in {seconds:.1f} s", flush=True)
            if complaint is not None:
                failed = True
                print(complaint)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
