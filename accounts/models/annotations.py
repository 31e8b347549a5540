from typing import ClassVar

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from core.fields import SearchKeyField
from core.models import ArchivableModel, TenantForeignKey, TenantModel
from core.objects import LONGEST_TYPE


class Tag(TenantModel):
    """A word that classifies rows of any kind."""

    slug = models.SlugField(max_length=60, db_index=False)
    name = models.CharField(max_length=60)
    name_key = SearchKeyField("name")
    color = models.CharField(
        max_length=7, default="#64748b", validators=[RegexValidator(r"^#[0-9a-f]{6}\Z", "Write it like #64748b.")],
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "slug"], name="tag_slug_per_organization")]
        indexes = [models.Index(fields=["organization", "name_key"], name="tag_search")]

    def __str__(self) -> str:
        return self.name


class TaggedItem(TenantModel):
    """A tag on an object. It goes with the object, by a trigger."""

    tag = TenantForeignKey(Tag, models.CASCADE, related_name="+")
    object_type = models.CharField(max_length=LONGEST_TYPE, help_text="Such as inventory.product.")
    object_id = models.UUIDField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "tag", "object_type", "object_id"], name="tagged_item_once",
                violation_error_message="The object has this tag already.",
            ),
        ]
        indexes = [models.Index(fields=["organization", "object_type", "object_id"], name="tagged_item_by_object")]

    def __str__(self) -> str:
        return f"{self.tag} on {self.object_type}"


class JournalEntry(ArchivableModel):
    """A line of an object's timeline: what somebody noted, or a change of status, which stays as it was written."""

    annotated = False
    frozen: ClassVar[tuple[str, ...]] = ("kind", "status")
    LONGEST = 10_000

    class Kind(models.TextChoices):
        NOTE = "note", "Note"
        STATUS = "status", "Status"

    object_type = models.CharField(max_length=LONGEST_TYPE, help_text="Such as inventory.product.")
    object_id = models.UUIDField()
    kind = models.CharField(max_length=6, choices=Kind, default=Kind.NOTE, editable=False)
    from_state = models.CharField("from status", max_length=40, blank=True, editable=False)
    to_state = models.CharField("to status", max_length=40, blank=True, editable=False)
    body = models.TextField(max_length=LONGEST, blank=True)
    pinned = models.BooleanField(default=False, help_text="Shown first.")
    author_id = models.UUIDField(null=True, editable=False)
    api_key_id = models.UUIDField(null=True, editable=False)

    class Meta:
        verbose_name_plural = "journal entries"
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="note", from_state="", to_state="") & ~Q(body="") | Q(kind="status") & ~Q(to_state=""),
                name="journal_entry_says_something",
                violation_error_message="A note has a body; a status entry has the new state.",
            ),
        ]
        indexes = [models.Index(fields=["organization", "object_type", "object_id", "id"], name="journal_by_object")]

    def __str__(self) -> str:
        return self.body[:80] or f"{self.from_state} → {self.to_state}"
