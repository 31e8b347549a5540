from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ReadViewSet, TenantViewSet
from core.limits import refuse_outside
from core.rendering import JSONRenderer
from core.serializers import ReferenceField, StrictSerializer, TenantSerializer, referenced
from orders.models import Invoice, InvoiceItem, InvoiceLayout, SalesOrder
from orders.services.credit_notes import CreditLine, credit_note_draft
from orders.services.invoice_papers import PDF, XML, filename_of, invoice_pdf, invoice_xml
from orders.services.invoices import (
    ORDERED,
    SHIPPED,
    InvoiceLine,
    invoice_change,
    invoice_delete,
    invoice_draft_from_order,
    invoice_issue,
)
from orders.services.order_lines import MOST_LINES

BASES = [(SHIPPED, "What has left, and is not invoiced"), (ORDERED, "All that is ordered, and is not invoiced")]


class InvoiceTaxSerializer(StrictSerializer):
    category = serializers.CharField(help_text="S taxed, Z taxed at 0 per cent, E exempt.")
    rate = serializers.CharField()
    net = serializers.CharField()
    tax = serializers.CharField()


@extend_schema_field(OpenApiTypes.OBJECT)
class SnapshotField(serializers.JSONField):
    """Who it was at that time: name, tax_number, street1, street2, city, region, postal_code, country and more."""


@extend_schema_field(InvoiceTaxSerializer(many=True))
class TaxesField(serializers.JSONField):
    """A row for each rate."""


class InvoiceSerializer(TenantSerializer):
    order_number = serializers.CharField(source="order.number", read_only=True, allow_null=True)
    customer_code = serializers.CharField(source="customer.code", read_only=True, allow_null=True)
    corrects_number = serializers.CharField(source="corrects.number", read_only=True, allow_null=True)
    seller = SnapshotField(read_only=True)
    buyer = SnapshotField(read_only=True)
    taxes = TaxesField(read_only=True)

    class Meta:
        model = Invoice
        fields = [
            "id", "number", "kind", "status", "order", "order_number", "corrects", "corrects_number", "customer", "customer_code",
            "warehouse", "currency", "issued_at", "issued_on", "due_on", "delivered_on", "seller", "buyer", "taxes", "net_total",
            "tax_total", "rounding", "total", "note", "created_at", "updated_at", "version",
        ]


class InvoiceItemSerializer(TenantSerializer):
    class Meta:
        model = InvoiceItem
        fields = [
            "id", "line", "kind", "order_item", "adjustment", "corrects", "sku", "name", "unit", "quantity", "unit_price",
            "includes_tax", "discount", "tax_rate", "tax_category", "net_amount", "tax_amount",
        ]


class NewInvoiceLineSerializer(StrictSerializer):
    line = ReferenceField(source="order_item_id", help_text="Of the order.")
    quantity = serializers.DecimalField(max_digits=19, decimal_places=6, min_value=0)


class NewInvoiceSerializer(StrictSerializer):
    order = ReferenceField(source="order_id")
    basis = serializers.ChoiceField(BASES, default=SHIPPED)
    lines: Any = serializers.ListSerializer(
        child=NewInvoiceLineSerializer(), required=False, max_length=MOST_LINES, help_text="These alone, whatever the basis.",
    )
    due_on = serializers.DateField(required=False)
    note = serializers.CharField(max_length=500, required=False)


class CreditLineSerializer(StrictSerializer):
    line = ReferenceField(source="item_id", help_text="Of the invoice.")
    quantity = serializers.DecimalField(max_digits=19, decimal_places=6, min_value=0, required=False)
    amount = serializers.DecimalField(max_digits=19, decimal_places=6, min_value=0, required=False, help_text="With tax.")


class NewCreditNoteSerializer(StrictSerializer):
    lines: Any = serializers.ListSerializer(
        child=CreditLineSerializer(), required=False, max_length=MOST_LINES,
        help_text="Each with a quantity or an amount. Without lines and amount: all that is left.",
    )
    amount = serializers.DecimalField(
        max_digits=19, decimal_places=6, min_value=0, required=False, help_text="With tax, over all lines.",
    )
    note = serializers.CharField(max_length=500, required=False)


class PaperRenderer(JSONRenderer):
    """Chosen by `Accept`; the view writes the paper, and this is left with the problems."""

    media_type = PDF
    format = "pdf"


class XmlRenderer(JSONRenderer):
    media_type = XML
    format = "xml"


class InvoiceViewSet(ReadViewSet):
    """Invoices and credit notes. A draft may be changed or deleted; what is issued has a number without gaps, and stays."""

    serializer_class = InvoiceSerializer
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]
    filters = ["kind", "status", "order", "customer", "warehouse", "number", "issued_on", "due_on"]
    search_keys = ["number_key"]

    def get_renderers(self) -> list[Any]:
        more = {"pdf": PaperRenderer, "ubl": XmlRenderer}.get(self.action)
        return [*super().get_renderers(), *([more()] if more else [])]

    def partial_update(self, request: Request, pk: str) -> Response:
        """The day when a draft is due, and its note."""
        row = self.get_object()
        serializer = self.get_serializer(row, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        return Response(self.read_row(invoice_change(invoice=row, **serializer.validated_data).pk))

    def destroy(self, request: Request, pk: str) -> Response:
        """Of a draft: what was on it may be invoiced, or credited, again."""
        invoice_delete(invoice=self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=NewInvoiceSerializer, responses={201: InvoiceSerializer})
    @action(
        detail=False, methods=["post"], url_path="from-order", permission="orders.add_invoice", body_class=NewInvoiceSerializer,
    )
    def from_order(self, request: Request) -> Response:
        """A draft: of what has left and is not invoiced, of all that is ordered, or of some lines."""
        values = self.body(request)
        order = referenced(SalesOrder, "order", values.pop("order_id"))
        self.refuse_elsewhere(order)
        if "lines" in values:
            values["lines"] = [InvoiceLine(**one) for one in values["lines"]]
        return self._made(invoice_draft_from_order(order=order, **values))

    @extend_schema(responses=InvoiceItemSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def lines(self, request: Request, pk: str) -> Response:
        """Goods, and what is added to them or taken off."""
        self._query([])
        return Response(InvoiceItemSerializer(self.get_object().items.order_by("line"), many=True).data)

    @extend_schema(request=None, responses=InvoiceSerializer)
    @action(detail=True, methods=["post"], permission="orders.issue_invoice")
    def issue(self, request: Request, pk: str) -> Response:
        """It gets its number and stays as it is; the order's address gets it by mail."""
        return Response(self.read_row(invoice_issue(invoice=self.get_object()).pk))

    @extend_schema(request=NewCreditNoteSerializer, responses={201: InvoiceSerializer})
    @action(detail=True, methods=["post"], permission="orders.add_invoice", body_class=NewCreditNoteSerializer)
    def credit(self, request: Request, pk: str) -> Response:
        """The draft of a credit note: of some lines, of an amount, or of all that is left of the invoice."""
        values = self.body(request)
        if "lines" in values:
            values["lines"] = [CreditLine(**one) for one in values["lines"]]
        return self._made(credit_note_draft(invoice=self.get_object(), **values))

    @extend_schema(responses={(200, PDF): OpenApiTypes.BINARY}, filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def pdf(self, request: Request, pk: str) -> HttpResponse:
        """On paper. Once it is issued the file is kept with its hash, and stays the same."""
        self._query([])
        return self._file(invoice_pdf(invoice=self.get_object()), PDF, "pdf")

    @extend_schema(responses={(200, XML): OpenApiTypes.BINARY}, filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def ubl(self, request: Request, pk: str) -> HttpResponse:
        """As UBL 2.1, with the core of EN 16931."""
        self._query([])
        return self._file(invoice_xml(invoice=self.get_object()), XML, "xml")

    def refuse_elsewhere(self, order: SalesOrder) -> None:
        """Raises OutsideWarehouses for an order of a warehouse where the request may not add invoices."""
        refuse_outside(SalesOrder, [order.pk], self.may_change_in())

    def _made(self, invoice: Invoice) -> Response:
        return Response(self.read_row(invoice.pk), status=status.HTTP_201_CREATED)

    def _file(self, content: bytes, content_type: str, ending: str) -> HttpResponse:
        name = filename_of(self.get_object(), ending)
        return HttpResponse(content, content_type=content_type, headers={"Content-Disposition": f'inline; filename="{name}"'})


class InvoiceLayoutSerializer(TenantSerializer):
    class Meta:
        model = InvoiceLayout
        fields = [
            "id", "name", "channel", "payment_days", "terms", "iban", "bic", "footer", "created_at", "updated_at", "version",
        ]


class InvoiceLayoutViewSet(TenantViewSet):
    """What stands on every invoice: terms, bank, footer. Its primary picture, an attachment, is the logo."""

    serializer_class = InvoiceLayoutSerializer
    filters = ["channel"]
    search_keys = ["name_key"]


routes = {"invoices": InvoiceViewSet, "invoice-layouts": InvoiceLayoutViewSet}
