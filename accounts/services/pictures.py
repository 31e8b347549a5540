"""Thumbnails of attachments, and people's avatars."""

import secrets
from typing import IO
from uuid import UUID

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction

from accounts.models import AttachmentVersion, User
from accounts.services.attachments import kept_if_written, too_large
from core.errors import NotFound
from core.files import private_files
from core.pictures import NoPicture, square, thumbnail
from core.sniffing import PICTURES

SIZES = (50, 100, 200, 400, 800)  # pixels: a few, because each is stored
AVATAR = 512


def thumbnail_key(*, version: AttachmentVersion, size: int) -> str:
    """Made when it is first asked for, and stored beside its picture. Raises NoPicture and NotFound."""
    if version.content_type not in PICTURES:
        raise NoPicture(f"{version.filename} is no picture.")
    files, key = private_files(), f"{version.storage_key}-{size}.webp"
    if not files.exists(key):
        try:
            with files.open(version.storage_key) as file:
                made = thumbnail(file, size)
        except FileNotFoundError as error:
            raise NotFound("The file is missing from the storage.", code="file_missing") from error
        files.save(key, ContentFile(made))
    return key


@transaction.atomic
def avatar_set(*, user_id: UUID, file: IO[bytes], size: int) -> None:
    """A square of at most 512 pixels. Raises TooLarge and NoPicture."""
    if size > settings.FILES_MAX_BYTES:
        raise too_large(size)
    key = f"users/{user_id}/{secrets.token_hex(16)}.webp"
    with kept_if_written(key):
        private_files().save(key, ContentFile(square(file, AVATAR)))
        _replace(user_id, key)


@transaction.atomic
def avatar_clear(*, user_id: UUID) -> None:
    _replace(user_id, "")


def _replace(user_id: UUID, key: str) -> None:
    user = User.objects.select_for_update(no_key=True).get(pk=user_id)
    before, user.avatar = user.avatar, key
    user.save(update_fields=["avatar"])
    if before:
        transaction.on_commit(lambda: private_files().delete(before))
