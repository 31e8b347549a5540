from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from core.permitting import SignedIn, demand
from core.rendering import JSONRenderer
from core.serializers import ReferenceField, StrictSerializer
from core.within import holder
from inventory.gs1.errors import GS1Error
from inventory.labels.layouts import DEFAULT, LAYOUTS
from inventory.queries.labels import AUTO, MOST, SYMBOLS, Wanted, labels_of, labels_pdf, sscc_of

PDF = "application/pdf"


class PDFRenderer(JSONRenderer):
    """Chosen by `Accept: application/pdf`; the view writes the PDF, and this is left with the problems."""

    media_type = PDF
    format = "pdf"


class LabelSerializer(StrictSerializer):
    variant = ReferenceField(required=False)
    location = ReferenceField(required=False)
    sscc = serializers.CharField(required=False, max_length=18, help_text="18 digits; or company_prefix and serial instead.")
    company_prefix = serializers.CharField(required=False, max_length=12, help_text="GS1's, of which an SSCC is made.")
    serial_reference = serializers.IntegerField(required=False, min_value=0, max_value=10**12, help_text="Of the SSCC.")
    copies = serializers.IntegerField(default=1, min_value=1, max_value=MOST)
    symbol = serializers.ChoiceField(list(SYMBOLS.items()), default=AUTO)
    lot = serializers.CharField(required=False, max_length=20)
    serial = serializers.CharField(required=False, max_length=20)
    expires_on = serializers.DateField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        prefix, number = attrs.pop("company_prefix", None), attrs.pop("serial_reference", None)
        if (prefix is None) != (number is None):
            raise serializers.ValidationError("An SSCC is made of company_prefix and serial_reference: give both.")
        if prefix is not None and "sscc" not in attrs:
            try:
                [attrs["sscc"]] = sscc_of(prefix, [number])
            except GS1Error as error:
                raise serializers.ValidationError({"company_prefix": error.problem}) from error
        if len(attrs.keys() & {"variant", "location", "sscc"}) != 1:
            raise serializers.ValidationError("Say what it is for: one of variant, location and sscc.")
        return attrs


class LabelsSerializer(StrictSerializer):
    layout = serializers.ChoiceField([(code, layout.name) for code, layout in LAYOUTS.items()], default=DEFAULT)
    skip = serializers.IntegerField(default=0, min_value=0, max_value=99, help_text="Labels of the first sheet that are used up.")
    labels: Any = serializers.ListSerializer(child=LabelSerializer(), min_length=1, max_length=MOST)


class LabelsView(APIView):
    """Labels of variants, locations and logistic units as a PDF, on label rolls or sheets."""

    permission_classes = (SignedIn,)
    renderer_classes = (JSONRenderer, PDFRenderer)

    @extend_schema(operation_id="labels_create", request=LabelsSerializer, responses={(200, PDF): OpenApiTypes.BINARY})
    def post(self, request: Request) -> HttpResponse:
        serializer = LabelsSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        body = serializer.validated_data
        for kind, permission in (("variant", "inventory.view_productvariant"), ("location", "inventory.view_location")):
            if any(kind in label for label in body["labels"]):
                demand(request, permission)
        labels = labels_of([Wanted(**label) for label in body["labels"]], holder(request))
        pdf = labels_pdf(labels, layout=body["layout"], skip=body["skip"])
        return HttpResponse(pdf, content_type=PDF, headers={"Content-Disposition": 'inline; filename="labels.pdf"'})
