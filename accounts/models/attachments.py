from django.db import models
from django.db.models import Q

from core.models import ArchivableModel, TenantForeignKey, TenantModel
from core.sniffing import PICTURES


class StoredFile(models.Model):
    """A file as it was checked. `storage_key` is written once; `storage_version` is the bucket's name of it, if any."""

    filename = models.CharField(max_length=255, editable=False)
    content_type = models.CharField(max_length=100, editable=False)
    size = models.PositiveBigIntegerField(editable=False, help_text="Bytes.")
    sha256 = models.CharField("SHA-256", max_length=64, editable=False)
    storage_key = models.CharField(max_length=200, editable=False)
    storage_version = models.CharField(max_length=200, blank=True, editable=False)

    class Meta:
        abstract = True

    @property
    def is_picture(self) -> bool:
        return self.content_type in PICTURES


class Attachment(StoredFile, ArchivableModel):
    """A file on a row: an invoice, a drawing, a picture. Its columns are those of the newest version."""

    class Kind(models.TextChoices):
        INVOICE = "invoice", "Invoice"
        DRAWING = "drawing", "Drawing"
        PICTURE = "picture", "Picture"
        CERTIFICATE = "certificate", "Certificate"
        OTHER = "other", "Other"

    annotated = False

    object_type = models.CharField(max_length=60, editable=False, help_text="Such as inventory.product.")
    object_id = models.UUIDField(editable=False)
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.OTHER)
    title = models.CharField(max_length=200, blank=True)
    file_version = models.PositiveIntegerField(default=1, editable=False)
    is_primary = models.BooleanField(
        default=False, db_default=False, editable=False, help_text="Of the pictures of a row, the one that is shown first.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "object_type", "object_id"], condition=Q(is_primary=True), name="attachment_one_primary",
                violation_error_message="Another picture was made the primary one at the same moment: try again.",
            ),
            models.CheckConstraint(condition=Q(size__gt=0) & ~Q(sha256="") & ~Q(storage_key=""), name="attachment_is_stored"),
        ]
        indexes = [models.Index(fields=["organization", "object_type", "object_id", "id"], name="attachment_by_object")]

    def __str__(self) -> str:
        return self.title or self.filename


class AttachmentVersion(StoredFile, TenantModel):
    """Each file that an attachment has had; `id` is that of its upload, so that none counts twice."""

    attachment = TenantForeignKey(Attachment, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()

    class Meta:
        default_permissions = ()  # an attachment's own decide
        constraints = [
            models.UniqueConstraint(fields=["organization", "attachment", "number"], name="attachment_version_once"),
        ]

    def __str__(self) -> str:
        return f"{self.filename}, version {self.number}"
