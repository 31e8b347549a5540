"""Files on rows: checked first, then stored under a key that nobody can guess, then written down."""

import hashlib
import secrets
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import IO, Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.core.files.base import File
from django.db import transaction
from uuid_utils.compat import uuid7

from accounts.models import Attachment, AttachmentVersion
from accounts.queries.attachments import require_object, require_object_of
from core.errors import Conflict, Invalid, TooLarge
from core.files import private_files
from core.sniffing import checked
from core.tenancy import active_organization_id


class Upload(NamedTuple):
    """A file that can be read twice, and what the client says of it; `sha256` in hexadecimal, or nothing."""

    file: IO[bytes]
    size: int
    filename: str
    content_type: str = ""
    sha256: str = ""


class Examined(NamedTuple):
    filename: str
    content_type: str
    size: int
    sha256: str


@transaction.atomic
def attachment_create(
    *, object_type: str, object_id: UUID, upload: Upload, permissions: Collection[str],
    kind: str = Attachment.Kind.OTHER, title: str = "",
) -> Attachment:
    """Raises Invalid, TooLarge or Forbidden; then nothing is kept."""
    require_object(object_type=object_type, object_id=object_id, verb="change", permissions=permissions)
    attachment = Attachment(id=uuid7(), object_type=object_type, object_id=object_id, kind=kind, title=title)
    return _store(attachment, upload)


@transaction.atomic
def attachment_add_version(*, attachment: Attachment, upload: Upload, permissions: Collection[str]) -> Attachment:
    """The older versions stay. Raises as `attachment_create` does, and Conflict for an archived attachment."""
    return _store(locked(attachment, permissions), upload)


def locked(attachment: Attachment, permissions: Collection[str]) -> Attachment:
    """Two uploads to one attachment wait for each other. With the next version's number."""
    row: Attachment = Attachment.objects.select_for_update(no_key=True).get(pk=attachment.pk)
    require_object_of(row, verb="change", permissions=permissions)
    if row.archived_at:
        raise Conflict("This attachment is archived: restore it first.", code="archived")
    row.file_version += 1
    return row


@transaction.atomic
def attachment_make_primary(*, attachment: Attachment, permissions: Collection[str]) -> None:
    """In the place of the picture that was it. Raises Conflict for what is no picture, or is archived."""
    row = locked(attachment, permissions)
    if not row.is_picture:
        raise Conflict(f"{row.filename} is no picture.", code="no_picture")
    of_the_same = Attachment.objects.filter(object_type=row.object_type, object_id=row.object_id, is_primary=True)
    of_the_same.exclude(pk=row.pk).update(is_primary=False)
    Attachment.objects.filter(pk=row.pk, is_primary=False).update(is_primary=True)


def _store(attachment: Attachment, upload: Upload) -> Attachment:
    examined = examine(upload)
    key = new_key(attachment)
    with kept_if_written(key):
        upload.file.seek(0)
        private_files().save(key, File(upload.file))
        return record(attachment, examined, key, uuid7())


def examine(upload: Upload) -> Examined:
    if upload.size > settings.FILES_MAX_BYTES:
        raise too_large(upload.size)
    filename, content_type = checked(upload.file, filename=upload.filename, declared=upload.content_type)
    upload.file.seek(0)
    digest = hashlib.file_digest(upload.file, "sha256").hexdigest()  # type: ignore[arg-type]  # any binary file
    if upload.sha256 and upload.sha256.lower() != digest:
        detail = f"The file that arrived has the SHA-256 {digest}: send it again."
        raise Invalid(detail, code="checksum_differs", fields={"sha256": detail})
    return Examined(filename, content_type, upload.size, digest)


def too_large(size: int) -> TooLarge:
    return TooLarge(f"The file has {size:,} bytes: at most {settings.FILES_MAX_BYTES:,} are taken.")


def new_key(attachment: Attachment) -> str:
    return f"{active_organization_id()}/{attachment.pk}/{attachment.file_version}-{secrets.token_hex(16)}"


@contextmanager
def kept_if_written(key: str) -> Iterator[None]:
    """No row, no file."""
    try:
        yield
    except BaseException:
        private_files().delete(key)
        raise


def record(attachment: Attachment, examined: Examined, key: str, upload_id: UUID) -> Attachment:
    columns: dict[str, Any] = {
        **examined._asdict(), "storage_key": key, "storage_version": private_files().stored_version(key),
    }
    for name, value in columns.items():
        setattr(attachment, name, value)
    adding = attachment._state.adding
    attachment.save(force_insert=adding, update_fields=None if adding else [*columns, "file_version"])
    AttachmentVersion.objects.create(id=upload_id, attachment=attachment, number=attachment.file_version, **columns)
    return attachment


@transaction.atomic
def attachment_delete_files(*, attachment: Attachment) -> None:
    """For good: the row, its versions and, once that is committed, their files and thumbnails. For the purge."""
    folder = f"{attachment.organization_id}/{attachment.pk}"
    attachment.delete()
    transaction.on_commit(lambda: private_files().delete_below(folder) and None)
