"""To whom a purchase order goes, and what stands on its paper."""

from typing import Any
from zoneinfo import ZoneInfo

from accounts.models import Address, Contact, Organization
from core.tenancy import active_organization_id
from inventory.models import Supplier
from orders.models import InvoiceLayout, PurchaseOrder
from orders.papers.purchase import PurchasePaper
from orders.queries.invoices import address_of, own_party


def address_to_mail(supplier: Supplier) -> str:
    """Of the primary contact, else of the first that has one; empty where nobody has."""
    found = Contact.objects.filter(party=supplier.party_id).exclude(email="").order_by("-is_primary", "pk")
    return str(found.values_list("email", flat=True).first() or "")


def purchase_paper(order: PurchaseOrder, layout: InvoiceLayout | None, *, logo: bytes, font: str) -> PurchasePaper:
    """`order` with its supplier's party and its warehouse's address; `layout` gives the footer."""
    supplier, warehouse = order.supplier, order.warehouse
    zone = ZoneInfo(Organization.objects.values_list("timezone", flat=True).get(pk=active_organization_id()))
    items = order.lines.select_related("supplier_product", "variant__product__base_unit").order_by("line")
    party: dict[str, Any] = {
        "name": supplier.party.name, "tax_number": supplier.party.tax_number,
        **address_of(Address.objects.filter(party=supplier.party_id)),
    }
    place = {"name": warehouse.name, **address_of([warehouse.address] if warehouse.address else [])}
    return PurchasePaper(
        order, list(items), own_party(), party, place, order.sent_at.astimezone(zone).date() if order.sent_at else None,
        layout.footer if layout else "", logo, font,
    )
