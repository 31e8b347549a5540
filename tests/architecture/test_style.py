"""The limits of the code: small files, small functions, imports that can be seen, nothing behind one's back."""

import ast
import re
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from weakref import ref

import pytest
from django.apps import apps
from django.conf import settings
from django.dispatch import Signal

ROOT = Path(settings.BASE_DIR)
APPS = ("accounts", "notifications", "inventory", "orders")
PRODUCT = ("config", "core", *APPS)
OUTER_ROOMS, INNER_ROOMS = ("api", "admin", "tasks", "handlers"), ("models", "queries", "services")
LINES_OF_A_FILE, LINES_OF_A_FUNCTION = 400, 50

# Imported when used: slow, and a cold start does without.
IMPORTED_LATE = {
    "accounts/access_tokens.py: accounts.tokens": "brings PyJWT and cryptography, which tokens that a secret signs do without",
    "accounts/credentials.py: accounts.services.external": "brings the HTTP client, which only tokens of identity providers need",
    "core/sealing.py: cryptography.exceptions": "0.15 s; few requests open or seal anything",
    "core/sealing.py: cryptography.hazmat.primitives.ciphers.aead": "0.15 s; few requests open or seal anything",
    "accounts/services/sessions.py: accounts.tokens": "brings PyJWT and cryptography, which only signing in needs",
    "notifications/doorbell.py: boto3": "takes 200 ms, and only AWS has queues to ring at",
    "notifications/doorbell.py: botocore.config": "takes 200 ms, and only AWS has queues to ring at",
    "core/pictures.py: PIL": "takes 60 ms, and few requests touch a picture",
    "core/sniffing.py: filetype": "takes 40 ms, for files that come in",
    "accounts/api/second_factors.py: accounts.services": "webauthn brings fido2, which only a security key needs",
    "accounts/encryption.py: cryptography.fernet": "brings cryptography, which only a second factor's secret needs",
    "accounts/services/challenges.py: accounts.services": "webauthn brings fido2, which only a security key needs",
    "config/own_second_factors.py: accounts.services": "webauthn brings fido2, which only a security key needs",
    "notifications/event_types.py: msgspec": "takes 50 ms, for the catalogue alone",
    "notifications/bus.py: boto3": "takes 0.3 s, and only a worker with a bus needs it",
    "notifications/bus.py: botocore.config": "takes 0.3 s, and only a worker with a bus needs it",
    "notifications/bus.py: botocore.exceptions": "takes 0.3 s, and only a worker with a bus needs it",
    "notifications/sms.py: boto3": "takes 0.3 s, and only a worker that sends SMS needs it",
    "notifications/sms.py: botocore.config": "takes 0.3 s, and only a worker that sends SMS needs it",
    "notifications/sms.py: botocore.exceptions": "takes 0.3 s, and only a worker that sends SMS needs it",
    "core/mail_by_ses.py: boto3": "takes 0.3 s, and only who sends mail by SES needs it",
    "core/mail_by_ses.py: botocore.config": "takes 0.3 s, and only who sends mail by SES needs it",
    "core/mail_by_ses.py: botocore.exceptions": "takes 0.3 s, and only who sends mail by SES needs it",
    "core/outbound.py: httpcore2": "takes 0.5 s with httpx2, and only who sends a webhook needs it",
    "inventory/queries/units.py: fractions": "takes 5 ms, which only amounts in units need",
    "inventory/labels/drawing.py: fpdf": "takes 1.2 s, for labels alone",
    "inventory/labels/symbols.py: barcode": "takes 30 ms, for labels alone",
    "inventory/labels/symbols.py: barcode.codex": "takes 30 ms, for labels alone",
    "inventory/labels/symbols.py: segno": "takes 10 ms, for labels alone",
    "orders/queries/papers.py: fpdf": "takes 1.2 s, for papers alone",
    "orders/services/payment_providers/stripe.py: stripe": "takes 0.4 s, and only a job that pays by Stripe needs it",
    "orders/papers/sheet.py: fpdf": "takes 1.2 s, for papers alone",
    "orders/papers/sheet.py: fpdf.fonts": "comes with fpdf, for papers alone",
    "core/access_log.py: core.prometheus": "brings its library, which is installed where servers run",
    "config/scraping.py: core.prometheus": "brings its library, which is installed where servers run",
    "core/aws.py: botocore.session": "takes 0.3 s, and Lambda has its credentials in the environment",
    "core/embedded.py: psutil": "is not installed where the database is not embedded",
}


def sources(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return [path for path in found if "migrations" not in path.parts]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def late_imports(path: Path) -> set[str]:
    found = set()
    for function in functions(path):
        for node in ast.walk(function):
            if isinstance(node, ast.ImportFrom):
                found.add(f"{name_of(path)}: {node.module}")
            elif isinstance(node, ast.Import):
                found |= {f"{name_of(path)}: {alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", sources(*PRODUCT, "bench", "infra", "scripts", "tests"), ids=name_of)
def test_files_are_small(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LINES_OF_A_FILE


@pytest.mark.parametrize("path", sources(*PRODUCT, "bench", "infra", "scripts"), ids=name_of)
def test_functions_are_small(path: Path) -> None:
    for function in functions(path):
        lines = (function.end_lineno or 0) - function.lineno + 1
        assert lines <= LINES_OF_A_FUNCTION, f"{function.name} has {lines} lines"


def test_imports_stand_at_the_top() -> None:
    late = set().union(*(late_imports(path) for path in sources(*PRODUCT)))
    assert late == IMPORTED_LATE.keys()


def home_of(receiver: object) -> str:
    """The package of a signal's receiver, which is kept by a weak reference or itself."""
    target = receiver() if isinstance(receiver, ref) else receiver
    return str(getattr(target, "__module__", "")).partition(".")[0]


def test_nobody_listens_to_signals() -> None:
    modules = ("django.db.models.signals", "django.core.signals", "django.contrib.auth.signals", "django.db.backends.signals")
    signals = {value for module in modules for value in vars(import_module(module)).values() if isinstance(value, Signal)}
    assert signals
    receivers = [receiver for signal in signals for _, receiver, *_ in signal.receivers]
    homes = {home_of(receiver) for receiver in receivers}
    assert "django" in homes and not homes & set(PRODUCT)
    for path in sources(*PRODUCT):
        assert "django.dispatch" not in path.read_text(), path


def test_nothing_is_kept_in_a_cache_of_one_process() -> None:
    """What has to be so for all processes is a row: docs/adr/0060-no-cache-between-the-program-and-its-database.md."""
    for path in sources(*PRODUCT):
        assert not re.search(r"django\.core\.cache|django\.core import .*\bcache|cache_page\(", path.read_text()), path
    assert settings.CACHES["default"]["BACKEND"] == "django.core.cache.backends.locmem.LocMemCache"
    assert settings.SESSION_ENGINE == "django.contrib.sessions.backends.db"


def test_import_linter_names_every_app_and_room() -> None:
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    assert set(linter["root_packages"]) == {path.name for path in map(Path, app_paths()) if path.parent == ROOT} == set(PRODUCT)
    assert not [contract["name"] for contract in linter["contracts"] if "ignore_imports" in contract]
    forbidden = {
        tuple(sorted(contract["source_modules"])): set(contract["forbidden_modules"])
        for contract in linter["contracts"] if contract["type"] == "forbidden"
    }  # fmt: skip
    for number, app in enumerate(APPS[1:], start=1):
        assert forbidden[app,] == set().union(*(rooms(lower, *OUTER_ROOMS) for lower in APPS[:number]))
    assert forbidden[tuple(sorted(set().union(*(rooms(app, *INNER_ROOMS) for app in APPS))))] == {"rest_framework", "boto3"}


def app_paths() -> list[str]:
    return [config.path for config in apps.get_app_configs()]


def rooms(app: str, *names: str) -> set[str]:
    return {f"{app}.{module.name}" for module in iter_modules([str(ROOT / app)]) if module.name in names}
