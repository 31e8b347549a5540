"""`python -m infra.package --stage dev`: the archive that Lambda runs, made of this folder and of requirements/lambda.txt.

It holds the product, the packages it needs at run time, bytecode, the collected static files, the API's description and the
stage's `zappa_settings.py`. Made twice of the same files, it is the same, byte for byte.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from infra.bytecode import compile_all
from infra.problems import PackageProblem
from infra.stacks import STAGES
from infra.wheels import PLATFORMS, ROOT, packages

SETTINGS = ROOT / "zappa_settings.json"
PRODUCT = ("accounts", "config", "core", "inventory", "notifications", "orders")
DEVELOPING = ("config/settings/local.py", "config/settings/test.py")
DESCRIPTION = Path("docs") / "openapi.json"
MOST_UNPACKED = 250 * 1024 * 1024  # by AWS
UNSHOWN = ("redoc*", "rest_framework", "jquery.js", "select2.full.js", "xregexp.js")  # static files; the last three for debuggers
SMALL = 100_000  # bytes: what is smaller gets no line of its own


def build(stage: str, architecture: str, output: Path, *, settings: Path = SETTINGS) -> Path:
    """What `zappa deploy STAGE --zip` and `zappa update STAGE --zip` take; `settings` are Zappa's. Raises PackageProblem."""
    _refuse_other_python()
    if architecture not in PLATFORMS:
        raise PackageProblem(f"There is no architecture {architecture}: choose of {', '.join(PLATFORMS)}.")
    if stage not in STAGES:
        raise PackageProblem(f"There is no stage {stage}: choose of {', '.join(STAGES)}.")
    libraries = packages(architecture)
    with TemporaryDirectory() as made:
        folder = Path(made)
        _copy_product(folder)
        _write_settings(stage, settings, folder)
        _collect(folder / "staticfiles")
        compile_all(folder)
        output.parent.mkdir(parents=True, exist_ok=True)
        unfinished = output.with_name(f"{output.name}.{os.getpid()}")
        try:
            _write(unfinished, [libraries, folder])
            unfinished.replace(output)
        finally:
            unfinished.unlink(missing_ok=True)
    return output


def _refuse_other_python() -> None:
    wanted = (ROOT / ".python-version").read_text().strip()
    found = f"{sys.version_info.major}.{sys.version_info.minor}"
    if found != wanted:
        raise PackageProblem(
            f"The function runs on Python {wanted}, and this is {found}, whose bytecode it could not read:"
            f" rm -r .venv; make setup PYTHON=/path/to/python{wanted}"
        )


def _copy_product(folder: Path) -> None:
    for name in PRODUCT:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns(".*", "__pycache__", "*.pyc", "*~", "static"))
    for name in DEVELOPING:
        (folder / name).unlink()
    (folder / DESCRIPTION).parent.mkdir()
    shutil.copyfile(ROOT / DESCRIPTION, folder / DESCRIPTION)


def _write_settings(stage: str, settings: Path, folder: Path) -> None:
    _run(
        f"Zappa cannot read {settings.name}",
        "-m", "zappa.cli", "save-python-settings-file", stage, "-s", str(settings.resolve()),
        "-o", str(folder / "zappa_settings.py"), folder=folder,
    )  # fmt: skip


def _collect(folder: Path) -> None:
    """Compressed, and by the names that the manifest has. Left out is what no page shows."""
    _run(
        "The static files cannot be collected",
        str(ROOT / "manage.py"), "collectstatic", "--no-input", "--verbosity=0", *(f"--ignore={name}" for name in UNSHOWN),
        folder=ROOT,
        DJANGO_SETTINGS_MODULE="config.settings.lambda_", STATIC_ROOT=str(folder), SECRET_KEY="of-no-use-here",
    )  # fmt: skip
    for mapping in folder.rglob("*.map*"):  # for debuggers
        mapping.unlink()
    for compressed in (folder / "drf_spectacular_sidecar").rglob("*.gz"):  # half a megabyte, for a page that few open
        compressed.unlink()


def _run(complaint: str, *arguments: str, folder: Path, **variables: str) -> None:
    result = subprocess.run(
        [sys.executable, *arguments], check=False, cwd=folder, env=os.environ | variables, capture_output=True, text=True,
    )
    if result.returncode:
        raise PackageProblem(f"{complaint}:\n{(result.stderr or result.stdout).strip()[-1500:]}")


def _write(archive: Path, folders: list[Path]) -> None:
    """All files of one day, in the order of their names."""
    found = sorted((str(path.relative_to(folder)), path) for folder in folders for path in folder.rglob("*") if path.is_file())
    if (size := sum(path.stat().st_size for _, path in found)) > MOST_UNPACKED:
        most = _megabytes(MOST_UNPACKED)
        raise PackageProblem(f"Unpacked it would have {_megabytes(size)}, and Lambda takes {most}: leave packages out.")
    with ZipFile(archive, "w", ZIP_DEFLATED, compresslevel=9) as written:
        for name, path in found:
            entry = ZipInfo(name)
            entry.create_system, entry.external_attr, entry.compress_type = 3, 0o100644 << 16, ZIP_DEFLATED
            written.writestr(entry, path.read_bytes())


def breakdown(archive: Path) -> Iterator[tuple[str, int, int]]:
    """What is in it, largest first: name, bytes packed, bytes unpacked."""
    packed: Counter[str] = Counter()
    unpacked: Counter[str] = Counter()
    with ZipFile(archive) as read:
        for entry in read.infolist():
            name = entry.filename.partition("/")[0].partition(".")[0]
            packed[name] += entry.compress_size
            unpacked[name] += entry.file_size
    few = [name for name in packed if packed[name] < SMALL]
    for name, size in packed.most_common():
        if name not in few:
            yield name, size, unpacked[name]
    yield f"{len(few)} smaller ones", sum(packed[name] for name in few), sum(unpacked[name] for name in few)


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.package", description="Make the archive that Lambda runs.")
    parser.add_argument("--stage", default="dev", help="whose settings it gets (dev)")
    parser.add_argument("--architecture", help=f"{' or '.join(PLATFORMS)}; the stage's own unless given")
    parser.add_argument("--output", type=Path, help="where it is written (.cache/package/quartermaster-STAGE-ARCHITECTURE.zip)")
    options = parser.parse_args()
    architecture = options.architecture or _stage(options.stage).get("architecture", "x86_64")
    output = options.output or ROOT / ".cache" / "package" / f"quartermaster-{options.stage}-{architecture}.zip"
    try:
        archive = build(options.stage, architecture, output)
    except PackageProblem as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    for name, packed, unpacked in breakdown(archive):
        print(f"{name:<32}{_megabytes(packed):>10}{_megabytes(unpacked):>12} unpacked")
    print(f"{archive}: {_megabytes(archive.stat().st_size)}")
    return 0


def _stage(name: str) -> dict[str, Any]:
    stages: dict[str, dict[str, Any]] = json.loads(SETTINGS.read_text())
    own = stages.get(name, {})
    return {**(_stage(own["extends"]) if "extends" in own else {}), **own}


if __name__ == "__main__":
    sys.exit(main())
