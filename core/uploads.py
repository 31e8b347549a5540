from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler

FORM = 64 * 1024  # bytes of a form around its file


def longest_form() -> int:
    return int(settings.FILES_MAX_BYTES) + FORM


class BoundedUpload(FileUploadHandler):
    """Reads nothing of a form that is too long; the CSRF check reads forms before any view could look."""

    def handle_raw_input(
        self, input_data: Any, META: Any, content_length: int, boundary: Any, encoding: Any = None,  # noqa: N803  # Django's
    ) -> None:
        if content_length > longest_form():
            raise RequestDataTooBig(f"The request has {content_length} bytes: more than {longest_form()} are not taken.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None
