"""Every check of the code that is not a test, one line each; the output of those that fail."""

import os
import subprocess
import sys
import time
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
    "style": ([PYTHON, "-m", "ruff", "check", "."], {}),
    "types": ([PYTHON, "-m", "mypy", "."], {}),
    "layers": ([LINT_IMPORTS], {}),
    "templates": ([PYTHON, "-m", "djlint", "--lint", "--allow-empty-input", "."], {}),
    "migrations are complete": ([PYTHON, "manage.py", "makemigrations", "--check", "--dry-run"], {}),
    "migrations are safe": ([PYTHON, "-m", "scripts.check_migrations"], {}),
    "settings for a server": (
        [PYTHON, "manage.py", "check", "--deploy", "--fail-level", "WARNING"], DEPLOYED,
    ),
}  # fmt: skip


def passes(name: str, command: list[str], variables: dict[str, str]) -> bool:
    print(f"{name:<24} ...", end=" ", flush=True)
    started = time.monotonic()
    result = subprocess.run(
        command, check=False, cwd=PROJECT, env=os.environ | variables,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    print(f"{'failed' if result.returncode else 'ok'} in {time.monotonic() - started:.1f} s", flush=True)
    if result.returncode:
        print(result.stdout.strip())
    return result.returncode == 0


def main() -> int:
    results = [passes(name, command, variables) for name, (command, variables) in CHECKS.items()]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
