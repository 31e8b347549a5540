"""Files over HTTP: bodies of forms that carry one, and answers that are one."""

from typing import Any

from django.http import FileResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer

from core.errors import NotFound, TooLarge
from core.files import Served, private_files
from core.uploads import longest_form

REDIRECT_SECONDS = 60


class AnyAccept(DefaultContentNegotiation):
    """A file is what it is, whatever a browser says it likes; errors stay JSON."""

    def select_renderer(self, request: Any, renderers: Any, format_suffix: str | None = None) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


def refuse_long_body(request: Any) -> None:
    """Before anything reads it. Raises TooLarge."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdecimal() and int(length) > longest_form():
        raise TooLarge(f"The request has {int(length):,} bytes: at most {longest_form():,} are taken.")


def file_response(key: str, served: Served, *, stored_version: str = "") -> HttpResponseBase:
    """From the storage itself where it can, else through us; a browser saves it, or shows it in a sandbox."""
    url = private_files().direct_url(key, served=served, seconds=REDIRECT_SECONDS, stored_version=stored_version)
    response = HttpResponseRedirect(url) if url else _streamed(key, served)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _streamed(key: str, served: Served) -> FileResponse:
    try:
        file = private_files().open(key)
    except FileNotFoundError as error:
        raise NotFound("The file is missing from the storage.", code="file_missing") from error
    response = FileResponse(file, content_type=served.content_type)
    response.headers["Content-Disposition"] = served.disposition
    response.headers["X-Content-Type-Options"] = "nosniff"
    # In a sandbox no browser shows a PDF; its viewer runs no script of ours.
    viewer = served.inline and served.content_type == "application/pdf"
    response.headers["Content-Security-Policy"] = "default-src 'none'" if viewer else "default-src 'none'; sandbox"
    return response
