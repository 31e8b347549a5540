"""Brings a package's static files into the bucket behind CloudFront."""

import mimetypes
from pathlib import Path
from typing import Any
from zipfile import ZipFile

FOLDER = "staticfiles/"
PACKED = (".gz", ".br")  # of what stands beside them: CloudFront packs itself
AGE = "public, max-age=31536000, immutable"  # a file that changes gets another name
NAMES = "staticfiles.json"  # old name: new name; of the package alone


def upload(client: Any, bucket: str, package: Path) -> int:
    """How many were missing. Those of former releases stay, for pages that are open and for a rollback."""
    there = _there(client, bucket)
    with ZipFile(package) as archive:
        wanted = [name for name in archive.namelist() if name.startswith(FOLDER) and not name.endswith((*PACKED, NAMES))]
        missing = [name for name in wanted if name.removeprefix(FOLDER) not in there]
        for name in missing:
            kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
            client.put_object(
                Bucket=bucket, Key=name.removeprefix(FOLDER), Body=archive.read(name), ContentType=kind, CacheControl=AGE
            )
    return len(missing)


def _there(client: Any, bucket: str) -> set[str]:
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return {item["Key"] for page in pages for item in page.get("Contents", [])}
