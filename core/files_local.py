"""Private files in a folder, which nothing serves but our own views."""

import time
from collections.abc import Iterable
from pathlib import Path

from django.core.files.storage import FileSystemStorage

from core.files import DirectUpload, Served


class LocalFiles(FileSystemStorage):
    def receive(self, key: str, chunks: Iterable[bytes]) -> None:
        path = self._made_room(key)
        try:
            with path.open("xb") as file:
                path.chmod(0o600)
                for chunk in chunks:
                    file.write(chunk)
        except FileExistsError:
            raise
        except Exception:
            path.unlink(missing_ok=True)
            raise

    def direct_upload(self, key: str, *, size: int, content_type: str, seconds: int) -> DirectUpload | None:
        return None

    def direct_url(self, key: str, *, served: Served, seconds: int, stored_version: str = "") -> str | None:
        return None

    def take_over(self, staged: str, key: str) -> None:
        source = Path(self.path(staged))
        if not source.exists() or not source.stat().st_size:
            raise FileNotFoundError(staged)
        self._made_room(key).hardlink_to(source)

    def discard_staged(self, key: str) -> None:
        """An empty file stays until it is purged, so that the address of the upload works once."""
        path = Path(self.path(key))
        path.unlink(missing_ok=True)
        path.touch(0o600)

    def stored_version(self, key: str) -> str:
        return ""

    def delete_below(self, prefix: str, *, older_than_seconds: int = 0, dry_run: bool = False) -> int:
        before = time.time() - older_than_seconds
        old = [path for path in Path(self.path(prefix)).rglob("*") if path.is_file() and path.stat().st_mtime <= before]
        for path in old if not dry_run else ():
            path.unlink(missing_ok=True)
        return len(old)

    def _made_room(self, key: str) -> Path:
        path = Path(self.path(key))
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path
