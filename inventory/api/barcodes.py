from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api import TenantViewSet
from core.permitting import SignedIn
from core.serializers import StrictSerializer, TenantSerializer
from core.within import holder
from inventory.gs1.elements import GS
from inventory.models import ProductBarcode
from inventory.queries.barcodes import LONGEST, SOURCES, scan_resolve


class ProductBarcodeSerializer(TenantSerializer):
    sku = serializers.CharField(source="variant.sku", read_only=True)

    class Meta:
        model = ProductBarcode
        fields = ["id", "variant", "sku", "symbology", "value", "gtin", "quantity", "created_at", "updated_at", "version"]


class ProductBarcodeViewSet(TenantViewSet):
    """Scan codes and packaging levels. The check digit of a GTIN must be right; EAN, UPC and GTIN of a number are one code."""

    serializer_class = ProductBarcodeSerializer
    filters = ["variant", "symbology", "gtin"]
    search_keys = ["value_key"]


class ScanSerializer(StrictSerializer):
    text = serializers.CharField(
        max_length=LONGEST, trim_whitespace=False, help_text="As the scanner sent it, FNC1 as ASCII 29 (\\u001d in JSON).",
    )

    def _strangeness(self, name: str, value: Any) -> Any:
        """The one control character that belongs in a scan."""
        return super()._strangeness(name, value.replace(GS, "") if isinstance(value, str) else value)


class ElementSerializer(serializers.Serializer):
    ai = serializers.CharField(help_text="Application identifier.")
    title = serializers.CharField()
    value = serializers.CharField()


class ReadingSerializer(serializers.Serializer):
    elements = ElementSerializer(many=True)
    text = serializers.CharField(help_text="With the identifiers in brackets.")
    gtin = serializers.CharField(allow_null=True)
    content = serializers.CharField(allow_null=True, help_text="GTIN of what a logistic unit holds.")
    sscc = serializers.CharField(allow_null=True)
    gln = serializers.CharField(allow_null=True)
    gln_extension = serializers.CharField(allow_null=True)
    lot = serializers.CharField(allow_null=True)
    serial = serializers.CharField(allow_null=True)
    expires_on = serializers.DateField(allow_null=True)
    best_before = serializers.DateField(allow_null=True)
    produced_on = serializers.DateField(allow_null=True)
    packed_on = serializers.DateField(allow_null=True)
    quantity = serializers.DecimalField(max_digits=8, decimal_places=0, allow_null=True)
    net_weight = serializers.DecimalField(max_digits=6, decimal_places=5, allow_null=True, help_text="Kilograms.")
    customer_part = serializers.CharField(allow_null=True)


class MatchSerializer(serializers.Serializer):
    kind = serializers.ChoiceField([source.kind for source in SOURCES])
    id = serializers.UUIDField(help_text="Of the row that has the code: the barcode, the variant, the location ...")
    quantity = serializers.DecimalField(max_digits=19, decimal_places=6, allow_null=True, help_text="Base units it stands for.")
    title = serializers.CharField(help_text="The code, or what the place is called.")
    variant = serializers.UUIDField(allow_null=True)
    sku = serializers.CharField(allow_null=True)
    name = serializers.CharField(allow_null=True)
    product = serializers.UUIDField(allow_null=True)
    product_name = serializers.CharField(allow_null=True)
    tracking = serializers.CharField(allow_null=True)
    warehouse = serializers.CharField(allow_null=True, help_text="Of a location: the code of the warehouse that it is in.")


class ScannedSerializer(serializers.Serializer):
    text = serializers.CharField()
    gs1 = ReadingSerializer(allow_null=True)
    matches = MatchSerializer(many=True)


class ScansView(APIView):
    """What a scanned text is: one of several candidates, the likeliest first. Nothing is kept of it."""

    permission_classes = (SignedIn,)

    @extend_schema(operation_id="scans_create", request=ScanSerializer, responses=ScannedSerializer)
    def post(self, request: Request) -> Response:
        serializer = ScanSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        found = scan_resolve(text=serializer.validated_data["text"], holder=holder(request), today=timezone.localdate())
        gs1 = found.reading and found.reading.as_json()
        return Response(ScannedSerializer({"text": found.text, "gs1": gs1, "matches": found.matches}).data)


routes = {"product-barcodes": ProductBarcodeViewSet}
