"""Uploads that go to the storage directly, past the limits of what stands before us.

An upload is known by a signed word alone: until it is completed there is no row, only a staged file.
"""

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.db import connection, transaction
from uuid_utils.compat import uuid7

from accounts.models import Attachment, AttachmentVersion
from accounts.queries.attachments import require_object, require_object_of
from accounts.services import attachments
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.files import STAGED, DirectUpload, private_files
from core.sniffing import ALLOWED, BY_EXTENSION
from core.tenancy import active_organization_id

SALT = "accounts.uploads"
SEND_SECONDS = 15 * 60
COMPLETE_SECONDS = 60 * 60
STALE_SECONDS = 24 * 60 * 60  # longer than any upload can be completed


class Started(NamedTuple):
    token: str
    direct: DirectUpload | None  # None: to be sent through us


def upload_start(
    *, filename: str, size: int, content_type: str, permissions: Collection[str], attachment: Attachment | None = None,
    object_type: str = "", object_id: UUID | None = None, kind: str = Attachment.Kind.OTHER, title: str = "", sha256: str = "",
) -> Started:
    """For a new version of the attachment, or for a new one on the object. Raises Invalid, TooLarge or Forbidden."""
    if attachment:
        require_object_of(attachment, verb="change", permissions=permissions)
    elif object_type and object_id:
        require_object(object_type=object_type, object_id=object_id, verb="change", permissions=permissions)
    else:
        raise Invalid("Give an attachment, or object_type and object_id.", fields={"object_id": "Give the row's id."})
    if size > settings.FILES_MAX_BYTES:
        raise attachments.too_large(size)
    if content_type not in ALLOWED:
        raise Invalid(
            f"Files of type {content_type} are not taken.", code="file_refused",
            fields={"content_type": f"Give one of {', '.join(sorted(ALLOWED))}: the type of {', '.join(sorted(BY_EXTENSION))}."},
        )
    upload_id = uuid7()
    token = signing.dumps({
        "upload": str(upload_id), "organization": str(active_organization_id()), "filename": filename, "size": size,
        "content_type": content_type, "attachment": str(attachment.pk) if attachment else "", "object_type": object_type,
        "object_id": str(object_id or ""), "kind": kind, "title": title, "sha256": sha256,
    }, salt=SALT, compress=True)
    key = staged_key(active_organization_id(), upload_id)
    return Started(token, private_files().direct_upload(key, size=size, content_type=content_type, seconds=SEND_SECONDS))


def upload_receive(*, token: str, size: int, chunks: Iterable[bytes]) -> None:
    """The file itself, once, from whoever holds the signed address; nothing is believed of it yet."""
    said = _read(token, SEND_SECONDS)
    if size != said["size"]:
        raise Invalid(f"The body has {size:,} bytes; the upload was started for {said['size']:,}.", code="size_differs")
    try:
        private_files().receive(staged_key(said["organization"], said["upload"]), _whole(chunks, size))
    except FileExistsError as error:
        raise Conflict("This upload was sent already: complete it, or start another.", code="already_sent") from error


@transaction.atomic
def upload_complete(*, token: str, permissions: Collection[str]) -> Attachment:
    """Checks what was sent, and makes the attachment or its version; repeated, it answers the same again."""
    said = _read(token, COMPLETE_SECONDS)
    if said["organization"] != str(active_organization_id()):
        raise NotFound("There is no such upload in this organization.")
    with connection.cursor() as cursor:  # two completions of one upload wait for each other
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [said["upload"]])
    done = AttachmentVersion.objects.filter(pk=said["upload"]).select_related("attachment").first()
    if done:
        require_object_of(done.attachment, verb="change", permissions=permissions)
        made: Attachment = done.attachment
        return made
    attachment = _attachment(said, permissions)
    key, staged = attachments.new_key(attachment), staged_key(said["organization"], said["upload"])
    try:
        private_files().take_over(staged, key)
    except FileNotFoundError as error:
        raise Conflict("Nothing was sent to this upload yet.", code="nothing_sent") from error
    with attachments.kept_if_written(key):
        attachments.record(attachment, _examined(said, key), key, UUID(said["upload"]))
    transaction.on_commit(lambda: private_files().discard_staged(staged))
    return attachment


def uploads_purge(*, older_than_seconds: int = STALE_SECONDS, dry_run: bool = False) -> int:
    """Staged files of all organizations that nobody will complete. Answers how many."""
    return private_files().delete_below(STAGED, older_than_seconds=older_than_seconds, dry_run=dry_run)


def staged_key(organization: Any, upload: Any) -> str:
    return f"{STAGED}/{organization}/{upload}"


def _whole(chunks: Iterable[bytes], size: int) -> Iterable[bytes]:
    """A client that breaks off may send again."""
    arrived = 0
    for chunk in chunks:
        arrived += len(chunk)
        yield chunk
    if arrived != size:
        raise Invalid(f"{arrived:,} of {size:,} bytes arrived: send the file again.", code="size_differs")


def _attachment(said: dict[str, Any], permissions: Collection[str]) -> Attachment:
    if said["attachment"]:
        found = Attachment.objects.filter(pk=said["attachment"]).first()
        if found is None:
            raise NotFound("The attachment is not there any more.")
        return attachments.locked(found, permissions)
    object_type, object_id = said["object_type"], UUID(said["object_id"])
    require_object(object_type=object_type, object_id=object_id, verb="change", permissions=permissions)
    return Attachment(id=uuid7(), object_type=object_type, object_id=object_id, kind=said["kind"], title=said["title"])


def _examined(said: dict[str, Any], key: str) -> attachments.Examined:
    size = private_files().size(key)
    if size != said["size"]:
        raise Invalid(f"{size:,} bytes were sent; the upload was started for {said['size']:,}.", code="size_differs")
    with private_files().open(key) as file:
        return attachments.examine(attachments.Upload(file, size, said["filename"], said["content_type"], said["sha256"]))


def _read(token: str, seconds: int) -> dict[str, Any]:
    try:
        said: dict[str, Any] = signing.loads(token, salt=SALT, max_age=seconds)
    except signing.SignatureExpired as error:
        raise Forbidden("This upload has expired: start another.", code="link_expired") from error
    except signing.BadSignature as error:
        raise Forbidden("This is not an upload that was started here.", code="link_invalid") from error
    return said
