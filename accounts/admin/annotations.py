from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from accounts.admin.objects import object_link, object_name
from accounts.models import JournalEntry, Tag, TaggedItem
from accounts.services.annotations import note_change, refuse_other_author
from core.admin import ReadOnlyTenantAdmin, TenantAdmin
from core.limits import hanging
from core.objects import object_models


@admin.register(Tag)
class TagAdmin(TenantAdmin):
    """On the page of an object one says which tags it has."""

    list_display = ["name", "slug", "color"]
    search_keys = ("name_key",)
    ordering = ("slug",)
    prepopulated_fields = {"slug": ["name"]}


class OfObjects(TenantAdmin):
    """Rows that hang on objects: one sees those on what one may see."""

    def get_queryset(self, request: Any) -> Any:
        return super().get_queryset(request).filter(hanging(request.principal, object_models()))

    @admin.display(description="on", ordering="object_type")
    def on(self, row: Any) -> SafeString | str:
        return object_link(row.object_type, row.object_id)

    @admin.display(description="on")
    def belongs_to(self, row: Any) -> SafeString | str:
        return object_link(row.object_type, row.object_id, object_name(row.object_type, row.object_id))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        return lookup in ("object_type", "object_id") or super().lookup_allowed(lookup, value, request)


@admin.register(TaggedItem)
class TaggedItemAdmin(OfObjects, ReadOnlyTenantAdmin):
    list_display = ["tag", "on", "created_at"]
    fields = ["tag", "belongs_to", "created_at"]
    list_filter = ["tag"]


@admin.register(JournalEntry)
class JournalEntryAdmin(OfObjects):
    """Written on the page of the object; a note is changed and archived by its author."""

    list_display = ["created_at", "on", "kind", "from_state", "to_state", "body", "pinned"]
    list_filter = ["kind"]
    readonly_fields = ["belongs_to", "kind", "from_state", "to_state"]
    fields = ["belongs_to", "kind", "from_state", "to_state", "body", "pinned"]

    def save_model(self, request: HttpRequest, obj: JournalEntry, form: Any, change: bool) -> None:
        note_change(entry=obj, body=obj.body, pinned=obj.pinned)

    def archive(self, request: HttpRequest, rows: Any, *, restore: bool) -> int:
        changed = list(rows.filter(archived_at__isnull=not restore))
        for entry in changed:
            refuse_other_author(entry)
            entry.archived_at = None if restore else timezone.now()
            entry.save(update_fields=["archived_at"])
        return len(changed)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or self._is_own(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or self._is_own(request, obj))

    @staticmethod
    def _is_own(request: HttpRequest, entry: JournalEntry) -> bool:
        return entry.kind == JournalEntry.Kind.NOTE and entry.author_id == request.user.pk
