"""A cold start on Lambda: from a new process to the first answer, run from the package by the real runtime client.

The floor is Django, its admin and DRF (`bare_function/`), on the same interpreter, with the package's libraries, of bytecode
too. Both sides read their person and a list from the same database. CPU is what the process itself computed.
"""

import platform
import py_compile
import shutil
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from urllib.parse import quote

from django.conf import settings
from django.core import signing

from accounts.models import User
from bench.database import EMAIL, TENANT, member_of
from bench.measuring import Result
from infra.package import build
from tests.deploy.runtime_api import Runtime, runtime_packages

ROUNDS, WARM = 7, 30
ARCHITECTURE = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine()]
HOST = "quartermaster.example.com"


class Started(NamedTuple):
    """Milliseconds, but for memory: MiB."""

    init: float
    first: float
    cpu: float
    warm: float
    memory: float

    @property
    def whole(self) -> float:
        return self.init + self.first


class Side(NamedTuple):
    handler: str
    folders: list[Path]
    event: dict[str, Any]
    variables: dict[str, str]


def run(size: int) -> Iterator[Result]:
    with TemporaryDirectory() as made:
        folder = Path(made)
        archive = build("dev", ARCHITECTURE, folder / "package.zip")
        package = folder / "package"
        shutil.unpack_archive(archive, package)
        ours, bare = _ours(package), _bare(package, folder / "bare")
        found: list[list[Started]] = [[], []]
        for _ in range(ROUNDS):
            for side, results in zip((ours, bare), found, strict=True):
                results.append(_started(side, folder))
        one, floor = (Started(*map(median, zip(*results[1:], strict=True))) for results in found)
        yield Result("INIT and first request, beside bare Django", size, one.whole, floor.whole, target=("ratio", 1.5))
        yield Result("the same, CPU", size, one.cpu, floor.cpu, target=("ratio", 1.5))
        yield Result("the same, ours alone", size, one.whole, target=("ours", 600))
        yield Result("INIT", size, one.init, floor.init)
        yield Result("first request, its connection included", size, one.first, floor.first)
        yield Result("warm request", size, one.warm, floor.warm)
        yield Result("memory at its highest, MiB", size, one.memory, floor.memory, target=("ours", 200))
        yield Result("package, MB", size, archive.stat().st_size / 1_000_000, target=("ours", 31))


def _started(side: Side, folder: Path) -> Started:
    path = ":".join(map(str, [*side.folders, runtime_packages(folder / "runtime")]))
    variables = {
        "PYTHONPATH": path, "SECRET_KEY": settings.SECRET_KEY,
        "APP_DATABASE_URL": _address("default"), "WORKER_DATABASE_URL": _address("worker"), **side.variables,
    }
    with Runtime(side.handler, side.folders[0], variables, options=["-S"]) as runtime:
        first = _asked(runtime, side.event)
        cpu = runtime.cpu_ms()
        warm = [_asked(runtime, side.event) for _ in range(WARM)]
        return Started(runtime.started_ms, first, cpu, median(warm), runtime.memory()["peak"])


def _asked(runtime: Runtime, event: dict[str, Any]) -> float:
    answer = runtime.invoke(event)
    if answer.error or answer.value["statusCode"] != 200:
        raise RuntimeError(f"A benchmark's request was not answered with 200: {answer.error or answer.value}")
    return answer.milliseconds


def _ours(package: Path) -> Side:
    return Side(
        "config.on_lambda.lambda_handler", [package], _event("/dev/api/v1/products/", "limit=100", member_of(TENANT).token),
        {
            "DJANGO_SETTINGS_MODULE": "config.settings.lambda_", "ALLOWED_HOSTS": HOST, "DATABASE_SSLMODE": "disable",
            "STATIC_URL": "https://static.example.com/",  # as each stage has it
        },
    )


def _bare(package: Path, folder: Path) -> Side:
    shutil.copytree(Path(__file__).with_name("bare_function"), folder)
    for source in folder.rglob("*.py"):
        py_compile.compile(str(source), doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    token = signing.dumps(str(User.objects.get_by_natural_key(EMAIL).pk))
    return Side(
        "bare_handler.lambda_handler", [folder, package], _event("/api/people/", "", token),
        {"DJANGO_SETTINGS_MODULE": "bare_settings"},
    )


def _event(path: str, query: str, token: str) -> dict[str, Any]:
    http = {"method": "GET", "path": path, "sourceIp": "203.0.113.7", "protocol": "HTTP/1.1", "userAgent": "bench"}
    return {
        "version": "2.0", "rawPath": path, "rawQueryString": query, "isBase64Encoded": False,
        "requestContext": {"http": http, "stage": "dev"},
        "headers": {"host": HOST, "accept": "application/json", "x-forwarded-proto": "https", "authorization": f"Bearer {token}"},
    }


def _address(alias: str) -> str:
    found = settings.DATABASES[alias]
    user, password, host = (quote(str(found[key]), safe="") for key in ("USER", "PASSWORD", "HOST"))
    return f"postgres://{user}:{password}@/{found['NAME']}?host={host}&port={found['PORT']}"
