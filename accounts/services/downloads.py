"""Addresses of files that need no credentials, for a minute: for browsers, which send none with an <img> or a link."""

from typing import NamedTuple

from django.core import signing

from accounts.models import AttachmentVersion
from core.errors import Forbidden
from core.files import Served
from core.sniffing import SAFE_INLINE

SALT = "accounts.downloads"
SECONDS = 60


class Download(NamedTuple):
    """One version of one attachment. `stored_version` is the bucket's."""

    key: str
    served: Served
    stored_version: str = ""


def download_of(version: AttachmentVersion, *, inline: bool = False) -> Download:
    """Shown in the browser only where that runs no script."""
    shown = inline and version.content_type in SAFE_INLINE
    return Download(version.storage_key, Served(version.filename, version.content_type, shown), version.storage_version)


def download_token(download: Download) -> str:
    served = download.served
    return signing.dumps([download.key, served.filename, served.content_type, served.inline], salt=SALT)


def read_download_token(token: str) -> Download:
    """Raises Forbidden for an address that has expired or was not made here."""
    try:
        key, filename, content_type, inline = signing.loads(token, salt=SALT, max_age=SECONDS)
    except signing.SignatureExpired as error:
        raise Forbidden("This address has expired: ask for another.", code="link_expired") from error
    except signing.BadSignature as error:
        raise Forbidden("This is not an address that was made here.", code="link_invalid") from error
    return Download(key, Served(filename, content_type, inline))
