"""Who sells to whom, as an invoice keeps it."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db.models import F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, Least, Round

from accounts.models import Address, Organization
from core.fields import QuantityField
from core.tenancy import active_organization_id
from orders.models import Customer, Invoice, InvoiceItem, InvoiceLayout, ReturnItem, SalesOrder, SalesOrderItem

LINES = ("street1", "street2", "city", "region", "postal_code", "country")


def layout_of(order: SalesOrder) -> InvoiceLayout | None:
    """The channel's own, else that of all channels."""
    found = {one.channel_id: one for one in InvoiceLayout.objects.filter(channel=order.channel_id)}
    found |= {one.channel_id: one for one in InvoiceLayout.objects.filter(channel=None)}
    return found.get(order.channel_id, found.get(None))


def seller_of(order: SalesOrder) -> dict[str, Any]:
    layout = layout_of(order)
    said = {name: getattr(layout, name) for name in ("terms", "iban", "bic", "footer")} if layout else {}
    return {**own_party(), **said}


def own_party() -> dict[str, Any]:
    """The organization, at its own address."""
    organization = Organization.objects.get(pk=active_organization_id())
    return {
        "name": organization.legal_name or organization.name, "tax_number": organization.tax_number,
        **address_of(Address.objects.filter(party=None)),
    }


def buyer_of(order: SalesOrder) -> dict[str, Any]:
    """At the order's billing address, else where it goes, else at the customer's own."""
    customer: Customer | None = order.customer
    party = customer.party if customer else None
    place: Mapping[str, str] = order.billing_address or order.shipping_address or {}
    own = address_of(Address.objects.filter(party=party)) if party else {}
    given = {name: place.get(name, "") for name in LINES} if place else own
    return {
        "name": place.get("name") or (party.name if party else ""), "code": customer.code if customer else "",
        "tax_number": party.tax_number if party else "", "tax_exempt": bool(customer and customer.tax_exempt), **given,
    }


def address_of(rows: Any) -> dict[str, str]:
    """The default of those for bills, else the next best."""
    kinds = {Address.Kind.BILLING: 0, Address.Kind.SITE: 1, Address.Kind.SHIPPING: 2}
    found = sorted(rows, key=lambda one: (kinds[one.kind], not one.is_default, one.pk))[:1]
    return {name: getattr(one, name) for one in found for name in LINES}


def lines_to_invoice(order: SalesOrder) -> list[SalesOrderItem]:
    """With `kept_quantity`: how much of each is to be paid. What was replaced at no charge is not taken for returned. A kit is
    paid for, its components are not.
    """
    ordered = F("quantity") - F("cancelled_quantity")
    rows = order.lines.filter(kit=None).select_related("variant__product__base_unit").annotate(
        kept_quantity=Least(ordered, ordered - F("returned_quantity") + _replaced()),
    )
    return list(rows.order_by("line"))


def lines_outdated(draft: Invoice) -> list[tuple[str, Decimal]]:
    """What the draft of an invoice asks for too much, by SKU, because goods came back or are not to be delivered any more.

    What drafts of credit notes take back is not asked for.
    """
    drafted = InvoiceItem.objects.filter(invoice__kind=Invoice.Kind.CREDIT_NOTE, invoice__status=Invoice.Status.DRAFT)
    more = (
        F("invoiced_quantity") - _sum_of(drafted, "quantity") - F("quantity") + F("cancelled_quantity") + F("returned_quantity")
        - _replaced()
    )
    rows = SalesOrderItem.objects.filter(pk__in=draft.items.exclude(order_item=None).values("order_item"))
    return list(rows.annotate(more=more).filter(more__gt=0).order_by("line").values_list("sku", "more"))


def _replaced() -> Any:
    """Of a line, what came back and was replaced; of a kit, the part of it that these components are."""
    rows = ReturnItem.objects.filter(authorization__replacement__isnull=False)
    part = F("received_quantity") / F("order_item__per_kit") * F("order_item__kit_share")
    parts = rows.filter(order_item__kit=OuterRef("pk")).order_by().values("order_item__kit").annotate(sum=Round(Sum(part), 6))
    return _sum_of(rows, "received_quantity") + Coalesce(
        Subquery(parts.values("sum")), Decimal(0), output_field=QuantityField(),
    )


def _sum_of(rows: QuerySet, name: str) -> Coalesce:
    """Of those of a line of an order."""
    found = rows.filter(order_item=OuterRef("pk")).order_by().values("order_item").annotate(sum=Sum(name)).values("sum")
    return Coalesce(Subquery(found), Decimal(0), output_field=QuantityField())


def creditable(invoice: Invoice) -> list[tuple[InvoiceItem, Decimal]]:
    """Each line with how many of it no credit note has taken, drafts among them."""
    taken = Sum("corrected_by__quantity", default=Decimal(0))
    return [(item, item.quantity - item.taken) for item in invoice.items.annotate(taken=taken).order_by("line")]
