"""What files may hang on, and who may see or change that."""

from collections.abc import Collection
from functools import cache
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import models

from accounts.models import Attachment, AttachmentVersion
from accounts.permissions import APPS
from core.errors import Forbidden, Invalid, NotFound
from core.limits import Holder, hanging
from core.models import RuntimeModel, TenantRow
from core.sniffing import PICTURES

MOST_PICTURES = 200

# Files on files lead nowhere, and the rows of the machinery come and go.
EXCLUDED = (Attachment, AttachmentVersion, RuntimeModel)


@cache
def attachable() -> dict[str, type[models.Model]]:
    """By label, such as inventory.product."""
    found = [model for app in APPS for model in apps.get_app_config(app).get_models()]
    return {
        model._meta.label_lower: model for model in found
        if issubclass(model, TenantRow) and not issubclass(model, EXCLUDED) and isinstance(model._meta.pk, models.UUIDField)
    }


def object_permission(verb: str, object_type: str) -> str:
    app, _, model = object_type.partition(".")
    return f"{app}.{verb}_{model}"


def visible_attachments(holder: Holder) -> models.QuerySet[Attachment]:
    found: models.QuerySet[Attachment] = Attachment.objects.filter(hanging(holder, attachable()))
    return found


def attachments_of(model: type[models.Model], pk: Any) -> list[Attachment]:
    found = Attachment.objects.filter(object_type=model._meta.label_lower, object_id=pk, archived_at=None)
    return list(found.order_by("-is_primary", "-id")[:200])


def pictures_of(*rows: models.Model) -> list[Attachment]:
    """Of the first row, then of the next: the primary one first, then the oldest. One query."""
    places = {row.pk: place for place, row in enumerate(rows)}
    kinds = models.Q()
    for row in rows:
        kinds |= models.Q(object_type=row._meta.label_lower, object_id=row.pk)
    found = Attachment.objects.filter(kinds, archived_at=None, content_type__in=PICTURES)
    return sorted(found, key=lambda one: (places[one.object_id], not one.is_primary, one.pk))[:MOST_PICTURES]


def require_object(*, object_type: str, object_id: UUID, verb: str, permissions: Collection[str]) -> None:
    """Raises Invalid for a type that takes no files or a row that is not here, Forbidden where the permission is missing."""
    if object_type not in attachable():
        known = ", ".join(sorted(attachable()))
        raise Invalid("Files hang on no such rows.", fields={"object_type": f"Give one of {known}."})
    _require(object_type, verb, permissions)
    if not _is_here(object_type, object_id):
        detail = "There is no such row in this organization."
        raise Invalid(detail, code="does_not_exist", fields={"object_id": detail})


def require_object_of(attachment: Attachment, *, verb: str, permissions: Collection[str]) -> None:
    """As above for what a file hangs on already; a row that is gone is NotFound."""
    _require(attachment.object_type, verb, permissions)
    if attachment.object_type not in attachable() or not _is_here(attachment.object_type, attachment.object_id):
        raise NotFound("The row that this file belongs to is not there any more.")


def version_of(attachment: Attachment, number: int | None = None) -> AttachmentVersion:
    """The newest, or the one of this number. Raises NotFound."""
    wanted = number or attachment.file_version
    found: AttachmentVersion | None = AttachmentVersion.objects.filter(attachment=attachment, number=wanted).first()
    if found is None:
        raise NotFound(f"This attachment has no version {wanted}; the newest is {attachment.file_version}.")
    return found


def _require(object_type: str, verb: str, permissions: Collection[str]) -> None:
    needed = object_permission(verb, object_type)
    if needed not in permissions:
        raise Forbidden(f"This needs the permission {needed}, which you do not have here.")


def _is_here(object_type: str, object_id: UUID) -> bool:
    return attachable()[object_type]._default_manager.filter(pk=object_id).exists()
