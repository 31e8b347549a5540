"""What orders do when something has happened."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage

from accounts.models import Organization
from core.tenancy import active_organization_id
from notifications.models import WebhookEndpoint
from notifications.receiving import Received, receives
from notifications.registry import Event, handles
from orders.models import SalesOrder
from orders.services.fulfilment import partner_told, sales_order_complete
from orders.services.payment_runs import payments_note
from orders.services.promising import DOCUMENT
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


@receives("stripe", type="payment_intent.")
def note_payment(event: Received) -> None:
    """A hint, no more: what became of the payment is asked at the provider, so that no order and no repetition matters."""
    _note(event, "payment_intent")


@receives("stripe", type="refund.")
def note_refund(event: Received) -> None:
    _note(event, "refund")


def _note(event: Received, kind: str) -> None:
    told: Any = event["payload"]
    found = told.get("data") if isinstance(told, dict) else None
    about = found.get("object") if isinstance(found, dict) else None
    if isinstance(about, dict) and about.get("object") == kind and isinstance(about.get("id"), str):
        payments_note(reference=about["id"])


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
