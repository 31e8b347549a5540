"""Files for the tests, small and real."""

import struct
import zlib
from io import BytesIO
from typing import Any
from zipfile import ZipFile

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from accounts.models import Party
from tests.companies import Api, Company

ATTACHMENTS = "/api/v1/attachments/"
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
EXE = b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00" + bytes(48) + b"This program cannot be run in DOS mode."
HTML = b"<!DOCTYPE html><script>alert(1)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def picture(kind: str = "PNG", size: tuple[int, int] = (300, 100), **options: Any) -> bytes:
    written = BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(written, kind, **options)
    return written.getvalue()


def archive(*names: str) -> bytes:
    written = BytesIO()
    with ZipFile(written, "w") as file:
        for name in names:
            file.writestr(name, "<x/>")
    return written.getvalue()


def bomb(side: int) -> bytes:
    """A PNG of a few bytes that says it is a square of this many pixels."""
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def party_of(company: Company, name: str = "Exotic Liquids") -> Party:
    with company.scope():
        return Party.objects.create(name=name)


def form(content: bytes, filename: str, content_type: str = "application/octet-stream", **values: Any) -> dict[str, Any]:
    return {"file": SimpleUploadedFile(filename, content, content_type), **values}


def attach(api: Api, row: Any, content: bytes = PDF, filename: str = "invoice.pdf", **values: Any) -> Any:
    about = {"object_type": row._meta.label_lower, "object_id": str(row.pk)}
    return api.post(f"{ATTACHMENTS}files/", {**about, **form(content, filename, **values)})


def content_of(response: Any) -> bytes:
    assert response.status_code == 200, response.content
    return b"".join(response.streaming_content)
