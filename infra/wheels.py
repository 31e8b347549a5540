"""The packages that the function needs, for its own processor: installed as locked, trimmed, compiled, kept for next time."""

import os
import re
import shutil
import subprocess
import sys
from fcntl import LOCK_EX, flock
from hashlib import sha256
from pathlib import Path

from infra import bytecode, trimming
from infra.bytecode import compile_all
from infra.problems import PackageProblem
from infra.trimming import UNNEEDED, trim

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements" / "lambda.txt"
KEPT = ROOT / ".cache" / "package"
PLATFORMS = {"arm64": "aarch64", "x86_64": "x86_64"}
GLIBC = ("manylinux_2_34", "manylinux_2_28", "manylinux_2_17", "manylinux2014")  # of Amazon Linux 2023, and older ones


def packages(architecture: str) -> Path:
    """A folder as it goes into the archive; one process makes it. Raises PackageProblem."""
    folder = KEPT / f"{architecture}-{_key()}"
    KEPT.mkdir(parents=True, exist_ok=True)
    with (KEPT / "lock").open("w") as lock:
        flock(lock, LOCK_EX)
        if not folder.exists():
            for former in KEPT.glob(f"{architecture}-*"):
                shutil.rmtree(former)
            _make(architecture, folder)
    return folder


def _make(architecture: str, folder: Path) -> None:
    unfinished = folder.with_name(f"{folder.name}.{os.getpid()}")
    try:
        _install(architecture, unfinished)
        trim(unfinished)
        compile_all(unfinished)
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _key() -> str:
    """Of all that decides what is in the folder."""
    code = [path.read_text() for path in (Path(__file__), Path(trimming.__file__), Path(bytecode.__file__))]
    return sha256(repr((LOCK.read_text(), code, sys.version_info[:2])).encode()).hexdigest()[:16]


def _install(architecture: str, folder: Path) -> None:
    platforms = [f"--platform={glibc}_{PLATFORMS[architecture]}" for glibc in GLIBC]
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    needed = KEPT / f"{folder.name}.txt"
    needed.write_text(without(UNNEEDED, LOCK.read_text()))
    try:
        result = subprocess.run(
            [
                sys.executable, "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--no-compile",
                "--no-deps", "--require-hashes", "--only-binary=:all:", "--implementation=cp", f"--python-version={version}",
                *platforms, f"--target={folder}", f"--requirement={needed}",
            ],
            check=False, capture_output=True, text=True,
        )  # fmt: skip
    finally:
        needed.unlink()
    if result.returncode:
        said = result.stderr.strip()[-1500:]
        raise PackageProblem(f"The packages of requirements/{LOCK.name} cannot be installed for {architecture}:\n{said}")


def without(names: set[str], lock: str) -> str:
    """A lock file without some of its packages."""
    entries = re.split(r"(?m)^(?=[a-z0-9])", lock)
    return "".join(entry for entry in entries if entry.partition("==")[0] not in names)
