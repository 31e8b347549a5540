"""Is anything known against the packages that are locked, or to be seen in the code? It needs a network.

`make check` has ruff's rules S, which are bandit's, each exception with its reason; here is bandit itself, for what is grave.
"""

import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
OURS = ("core", "accounts", "notifications", "inventory", "orders", "config", "infra", "deploy", "manage.py")


def audits() -> dict[str, list[str]]:
    """By name. A package of which nothing can be learned fails as well: silence is no good news."""
    known = [sys.executable, "-m", "pip_audit", "--strict", "--require-hashes", "--disable-pip", "--progress-spinner", "off"]
    locks = sorted((PROJECT / "requirements").glob("*.txt"))
    return {f"packages of {lock.stem}": [*known, "--requirement", str(lock)] for lock in locks} | {
        "code": [sys.executable, "-m", "bandit", "--quiet", "--recursive", *OURS, "-lll"]
    }


def main() -> int:
    failed = False
    for name, command in audits().items():
        result = subprocess.run(command, check=False, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        failed = failed or result.returncode != 0
        print(f"{name:<24} ... {'failed' if result.returncode else 'ok'}", flush=True)
        if result.returncode:
            print(result.stdout.strip())
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
