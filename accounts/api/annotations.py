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
from core.limits import hanging, refuse_object_outside
from core.objects import object_models, viewable_types
from core.serializers import TenantSerializer
from core.within import hanging_condition, holder


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
        who, kinds = holder(self.request), object_models()
        hidden = who.limits or len(viewable_types(who.permissions)) < len(kinds)
        return [*super().row_conditions(), *(hanging_condition(who, kinds) if hidden else [])]

    def get_object(self) -> Any:
        row: Any = super().get_object()
        if not self.model()._default_manager.filter(hanging(holder(self.request), object_models()), pk=row.pk).exists():
            raise Http404
        return row

    def refuse_object(self, kind: str, object_id: Any, verb: str) -> None:
        """Raises OutsideWarehouses; of an unknown type the service says what is wrong."""
        if model := object_models().get(kind):
            refuse_object_outside(holder(self.request), model, object_id, verb)

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
        self.refuse_object(given["object_type"], given["object_id"], "change")
        return object_tag(
            tag_id=given["tag_id"], kind=given["object_type"], object_id=given["object_id"], permissions=self.permissions(),
        )

    def destroy(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        item = self.get_object()
        self.refuse_object(item.object_type, item.object_id, "change")
        object_untag(item=item, permissions=self.permissions())
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
            self.refuse_object(given["object_type"], given["object_id"], "view")
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
