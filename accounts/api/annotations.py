from typing import Any

from django.db import models
from django.http import Http404
from rest_framework import serializers, status
from rest_framework.response import Response

from accounts.models import JournalEntry, Tag, TaggedItem
from accounts.services.annotations import journal_note, note_change, object_tag, object_untag, refuse_other_author
from core.api import ArchivableViewSet, ReadViewSet, TenantViewSet
from core.choosing import Conditions
from core.errors import Invalid
from core.objects import object_models, viewable_types
from core.reading import BASE
from core.serializers import TenantSerializer


class TagSerializer(TenantSerializer):
    class Meta:
        model = Tag
        fields = ["id", "slug", "name", "color", "created_at", "updated_at", "version"]


class TagViewSet(TenantViewSet):
    serializer_class = TagSerializer
    filters = ["slug"]
    search_keys = ["name_key"]


class AboutObjects(ReadViewSet):
    """Rows that hang on objects: one sees those on what one may see."""

    def row_conditions(self) -> Conditions:
        viewable = viewable_types(self.permissions())
        hidden = len(viewable) < len(object_models())
        return [*super().row_conditions(), *([(f"{BASE}.object_type = ANY (%s)", [viewable])] if hidden else [])]

    def get_object(self) -> Any:
        row: Any = super().get_object()
        if row.object_type not in viewable_types(self.permissions()):
            raise Http404
        return row

    def permissions(self) -> frozenset[str]:
        request: Any = self.request
        found: frozenset[str] = request._request.principal.permissions
        return found


class TaggedItemSerializer(TenantSerializer):
    tag_slug = serializers.CharField(source="tag.slug", read_only=True)

    class Meta:
        model = TaggedItem
        fields = ["id", "tag", "tag_slug", "object_type", "object_id", "created_at", "updated_at", "version"]


class TaggedItemViewSet(AboutObjects, TenantViewSet):
    """To tag an object and to take a tag off needs the right to change the object."""

    serializer_class = TaggedItemSerializer
    http_method_names = ["get", "post", "delete", "head", "options"]
    bulk_operations = ()
    no_bulk = "Each tag is weighed against what one may change: put them on one by one."
    filters = ["tag", "object_type", "object_id"]

    def save(self, serializer: Any) -> models.Model:
        given = serializer.validated_data
        return object_tag(
            tag_id=given["tag_id"], kind=given["object_type"], object_id=given["object_id"], permissions=self.permissions(),
        )

    def destroy(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        object_untag(item=self.get_object(), permissions=self.permissions())
        return Response(status=status.HTTP_204_NO_CONTENT)


class JournalEntrySerializer(TenantSerializer):
    class Meta:
        model = JournalEntry
        fields = [
            "id", "object_type", "object_id", "kind", "from_state", "to_state", "body", "pinned", "author_id", "api_key_id",
            "archived_at", "created_at", "updated_at", "version",
        ]
        extra_kwargs = {"body": {"required": True, "allow_blank": False}}


class JournalEntryViewSet(AboutObjects, ArchivableViewSet):
    """What happened to an object. Notes are written here, and changed by their authors; status entries write themselves."""

    serializer_class = JournalEntrySerializer
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]
    bulk_operations = ()
    no_bulk = "Each note is weighed against what one may change: write them one by one."
    filters = ["object_type", "object_id"]
    ordering = ["-id"]

    def save(self, serializer: Any) -> models.Model:
        given, entry = serializer.validated_data, serializer.instance
        if entry is None:
            return journal_note(
                kind=given["object_type"], object_id=given["object_id"], body=given["body"],
                pinned=given.get("pinned", False), permissions=self.permissions(),
            )
        for name in ("object_type", "object_id"):
            if given.get(name, getattr(entry, name)) != getattr(entry, name):
                raise Invalid("A note stays on its object.", fields={name: "A note stays on its object."})
        return note_change(entry=entry, body=given.get("body", entry.body), pinned=given.get("pinned", entry.pinned))

    def get_object(self) -> JournalEntry:
        entry: JournalEntry = super().get_object()
        refuse_other_author(entry)
        return entry


routes = {"tags": TagViewSet, "tagged-items": TaggedItemViewSet, "journal-entries": JournalEntryViewSet}
