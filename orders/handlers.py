"""What orders do when something has happened."""

from collections.abc import Mapping
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage

from accounts.models import Organization
from core.tenancy import active_organization_id
from notifications.models import WebhookEndpoint
from notifications.registry import Event, handles
from orders.models import Invoice, PurchaseOrder, SalesOrder
from orders.services.fulfilment import partner_told, sales_order_complete
from orders.services.invoice_papers import invoice_mail
from orders.services.promising import DOCUMENT
from orders.services.purchase_papers import purchase_order_mail
from orders.services.purchase_states import BY_MAIL
from orders.services.sales_orders import locked, sales_order_allocated

Purpose, F = WebhookEndpoint.Purpose, SalesOrder.FulfilmentStatus
# What a partner is for, and of which news: the status of which it makes another.
NEWS: Mapping[tuple[str, str], tuple[str, str]] = {
    (Purpose.WAREHOUSE, "order.placed"): (F.NOT_STARTED, F.WAREHOUSE_NOTIFIED),
    (Purpose.DELIVERY, "order.packed"): (F.PACKED, F.DELIVERY_NOTIFIED),
}


@handles("stock.reservation_ended")
def follow(event: Event) -> None:
    """The goods of an order were given up: by time, or by somebody in the stock."""
    if event["payload"]["demand_type"] == DOCUMENT:
        sales_order_allocated(order_id=UUID(event["payload"]["demand"]))


@handles("stock.reserved")
def follow_promises(event: Event) -> None:
    """Goods came for an order that waited for them."""
    if event["payload"]["demand_type"] == DOCUMENT:
        sales_order_allocated(order_id=UUID(event["payload"]["demand"]))


@handles("webhook.delivered")
def note_partner(event: Event) -> None:
    """An order shows that the warehouse, or the delivery service, knows of it."""
    taken = event["payload"]
    if change := NEWS.get((taken["purpose"], taken["type"])):
        before, after = change
        partner_told(order_id=UUID(taken["aggregate"]), before=before, after=after)


@handles("order.delivered", queue_name="mail")
def confirm_delivery(event: Event) -> None:
    """Mails the customer, and the order is complete.

    The mail comes last: if it fails, nothing was done, and the job is tried again.
    """
    order = locked(SalesOrder(pk=UUID(event["payload"]["order"])))
    if order.status == SalesOrder.Status.DELIVERED:
        order = sales_order_complete(order=order)
    if order.email:
        _mail(order, event["id"])


@handles("purchase_order.sent", queue_name="mail")
def send_purchase_order(event: Event) -> None:
    """The supplier gets its paper, unless somebody has told them otherwise."""
    sent = event["payload"]
    if sent.get("by") == BY_MAIL:
        purchase_order_mail(order=PurchaseOrder(pk=UUID(sent["order"])), revision=sent["revision"], message_id=event["id"])


@handles("invoice.issued", queue_name="mail")
def send_invoice(event: Event) -> None:
    """Its paper is made and kept, and goes to the order's address."""
    invoice_mail(invoice=Invoice(pk=UUID(event["payload"]["invoice"])), message_id=event["id"])


def _mail(order: SalesOrder, event_id: str) -> None:
    shop = Organization.objects.get(pk=active_organization_id()).name
    lines = [
        f"  {line.shipped_quantity.normalize():f} x {line.name or line.sku}" for line in order.lines.order_by("line")
    ]
    text = "\n".join([f"Your order {order.number} from {shop} was delivered:", "", *lines, "", "Thank you for your order.", ""])
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">")
    headers = {"Message-ID": f"<{event_id}@{domain}>"}  # the same if a crash sends it twice
    subject = " ".join(f"Your order {order.number} was delivered".split())
    EmailMessage(subject, text, to=[order.email], headers=headers).send()
