from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Attachment
from accounts.queries.attachments import pictures_of
from core.api import ReadViewSet
from core.permitting import demand
from core.routing import path_of
from inventory.models import ProductVariant

SEE_FILES = "accounts.view_attachment"


class PictureSerializer(serializers.Serializer):
    attachment = serializers.UUIDField(source="id")
    object_type = serializers.CharField(help_text="inventory.product for a variant's picture that is one of its product.")
    title = serializers.CharField()
    filename = serializers.CharField()
    content_type = serializers.CharField()
    is_primary = serializers.BooleanField()
    thumbnail = serializers.SerializerMethodField(help_text="The address of a small WebP picture; `?size=` for another one.")
    download = serializers.SerializerMethodField(help_text="The address of the picture itself.")

    def get_thumbnail(self, attachment: Attachment) -> str:
        return self._address(attachment, "thumbnail")

    def get_download(self, attachment: Attachment) -> str:
        return self._address(attachment, "download")

    def _address(self, attachment: Attachment, action: str) -> str:
        address: str = self.context["request"].build_absolute_uri(path_of("attachments", attachment.pk, action))
        return address


class PicturesSerializer(serializers.Serializer):
    pictures = PictureSerializer(many=True)


class HasPictures(ReadViewSet):
    """For products and variants: their pictures among their attachments."""

    @extend_schema(responses=PicturesSerializer)
    @action(detail=True, methods=["get"])
    def pictures(self, request: Request, pk: str) -> Response:
        """The primary picture first, then the oldest; after those of a variant, its product's."""
        self._query([])
        row = self.get_queryset().filter(pk=self.key(pk)).first()
        if row is None:
            raise Http404
        demand(request, SEE_FILES)
        rows = [row, row.product] if isinstance(row, ProductVariant) else [row]
        return Response(PicturesSerializer({"pictures": pictures_of(*rows)}, context={"request": request}).data)
