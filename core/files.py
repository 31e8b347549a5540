"""Private files: what a storage must offer beyond Django's own, and where it is found.

`STORAGES["private"]` names the class, which is imported when the first file is touched: boto3 takes 0.3 s.
A key is written once and never again, so what was checked is what is downloaded.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from django.core.files.base import File
from django.core.files.storage import storages
from django.utils.http import content_disposition_header

STAGED = "uploads"  # the folder of what was uploaded directly and waits to be checked


@dataclass(frozen=True, slots=True)
class DirectUpload:
    """How a client sends a file to the storage itself: `fields` go before the file in a form, `headers` with it."""

    url: str
    method: str
    headers: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Served:
    """How a browser is to take a file."""

    filename: str
    content_type: str
    inline: bool = False

    @property
    def disposition(self) -> str:
        return str(content_disposition_header(not self.inline, self.filename))


class PrivateFiles(Protocol):
    def open(self, key: str, mode: str = "rb") -> File:
        """Raises FileNotFoundError."""

    def save(self, key: str, content: Any) -> str: ...

    def delete(self, key: str) -> None: ...

    def exists(self, key: str) -> bool: ...

    def size(self, key: str) -> int: ...

    def receive(self, key: str, chunks: Iterable[bytes]) -> None:
        """What a client sends through us; raises FileExistsError."""

    def direct_upload(self, key: str, *, size: int, content_type: str, seconds: int) -> DirectUpload | None:
        """None where clients can send through us alone."""

    def direct_url(self, key: str, *, served: Served, seconds: int, stored_version: str = "") -> str | None:
        """None where clients can read through us alone."""

    def take_over(self, staged: str, key: str) -> None:
        """Copy what was staged to a key that no client can write to. Raises FileNotFoundError."""

    def discard_staged(self, key: str) -> None: ...

    def stored_version(self, key: str) -> str:
        """The storage's own name of this version of the file, where it keeps versions."""

    def delete_below(self, prefix: str, *, older_than_seconds: int = 0, dry_run: bool = False) -> int:
        """Answers how many files; in a dry run, how many it would."""


def private_files() -> PrivateFiles:
    return cast(PrivateFiles, storages["private"])
