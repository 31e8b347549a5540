"""What orders do when something has happened."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import Sum

from accounts.models import Organization
from accounts.services.annotations import journal_told
from core.tenancy import active_organization_id
from notifications.models import WebhookEndpoint
from notifications.receiving import Received, receives
from notifications.registry import Event, handles
from orders.models import Invoice, PurchaseOrder, ReturnAuthorization, SalesOrder, Shipment
from orders.services.fulfilment import partner_told, sales_order_complete
from orders.services.invoice_papers import invoice_mail
from orders.services.payment_runs import payments_note
from orders.services.promising import DOCUMENT, unfollowed
from orders.services.purchase_papers import (
    purchase_order_mail,
    purchase_order_mail_cancelled,
    purchase_order_mail_revised,
)
from orders.services.purchase_states import BY_MAIL
from orders.services.return_settling import given_back
from orders.services.sales_orders import locked, sales_order_allocated

Purpose, F = WebhookEndpoint.Purpose, SalesOrder.FulfilmentStatus
# What a partner is for, and of which news: the status of which it makes another.
NEWS: Mapping[tuple[str, str], tuple[str, str]] = {
    (Purpose.WAREHOUSE, "order.placed"): (F.NOT_STARTED, F.WAREHOUSE_NOTIFIED),
    (Purpose.DELIVERY, "order.packed"): (F.PACKED, F.DELIVERY_NOTIFIED),
}
# Of an event about a reservation, in SQL, the id of its demand.
OF_RESERVATION = """(
    SELECT h.demand_id FROM inventory_reservation AS h WHERE h.organization_id = e.organization_id AND h.id = e.aggregate_id
)"""


@handles("stock.reservation_ended", only_if=unfollowed(OF_RESERVATION))
def follow(event: Event) -> None:
    """The goods of an order were given up: by time, or by somebody in the stock."""
    if event["payload"]["demand_type"] == DOCUMENT:
        sales_order_allocated(order_id=UUID(event["payload"]["demand"]))


@handles("stock.reserved", only_if=unfollowed("e.aggregate_id"))
def follow_promises(event: Event) -> None:
    """Somebody in the stock gave goods to an order that waited for them."""
    if event["payload"]["demand_type"] == DOCUMENT:
        sales_order_allocated(order_id=UUID(event["payload"]["demand"]))


@handles("stock.promise_lost", only_if=f"e.payload ->> 'demand_type' = '{DOCUMENT}'")
def note_lost_promises(event: Event) -> None:
    """Who looks at the order reads on its timeline why it waits, or why its goods come from another place."""
    row = SalesOrder.objects.filter(pk=UUID(event["payload"]["demand"])).first()
    if row is None:
        return
    found = [(one["sku"], Decimal(one["quantity"]), Decimal(one["waits"])) for one in event["payload"]["lines"]]
    lines = [
        f"{quantity.normalize():f} of {sku}: " + " and ".join(
            f"{amount.normalize():f} {what}" for amount, what in (
                (quantity - waits, "promised from another place"), (waits, "waiting for goods"),
            ) if amount
        )
        for sku, quantity, waits in found
    ]
    journal_told(object=row, body=f"A count did not find what was promised. {'; '.join(lines)}.")


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
    _mail(order, event["id"])


@handles("return.approved", queue_name="mail")
def tell_of_approval(event: Event) -> None:
    """Unless the goods are here already."""
    if event["payload"].get("is_here"):
        return
    row = ReturnAuthorization.objects.select_related("order").get(pk=UUID(event["payload"]["authorization"]))
    lines = [
        f"  {item.quantity.normalize():f} x {item.order_item.name or item.order_item.sku}"
        for item in row.lines.select_related("order_item").order_by("line")
    ]
    _send(row.order.email, event["id"], f"Your return {row.number} is approved", [
        f"Please send back, of your order {row.order.number}:", "", *lines, "", f"Write {row.number} on the parcel.", "",
    ])


@handles("return.refunded", queue_name="mail")
def tell_of_refund(event: Event) -> None:
    row = ReturnAuthorization.objects.select_related("order").get(pk=UUID(event["payload"]["authorization"]))
    given, currency = given_back(row), row.order.currency
    what = [f"{given:.2f} {currency} are on their way to you"] if given else []
    if rest := row.refund_amount - given:
        what.append(f"{rest:.2f} {currency} are taken off what the order costs you")
    _send(row.order.email, event["id"], f"The refund of your return {row.number}", [
        f"{' and '.join(what)}, for your return {row.number} of order {row.order.number}.", "",
    ])


@handles("purchase_order.sent", queue_name="mail")
def send_purchase_order(event: Event) -> None:
    """The supplier gets its paper, unless somebody has told them otherwise."""
    sent = event["payload"]
    if sent.get("by") == BY_MAIL:
        purchase_order_mail(order=PurchaseOrder(pk=UUID(sent["order"])), revision=sent["revision"], message_id=event["id"])


@handles("purchase_order.revised", queue_name="mail")
def withdraw_purchase_order(event: Event) -> None:
    """A supplier who has it is told not to deliver by it, unless somebody else tells them."""
    said = event["payload"]
    if said.get("by") == BY_MAIL:
        order = PurchaseOrder(pk=UUID(said["order"]))
        purchase_order_mail_revised(order=order, revision=said["revision"], message_id=event["id"])


@handles("purchase_order.cancelled", queue_name="mail")
def cancel_purchase_order(event: Event) -> None:
    said = event["payload"]
    if said.get("by") == BY_MAIL:
        purchase_order_mail_cancelled(order=PurchaseOrder(pk=UUID(said["order"])), message_id=event["id"])


@handles("invoice.issued", queue_name="mail")
def send_invoice(event: Event) -> None:
    """Its paper is made and kept, and goes to the order's address."""
    invoice_mail(invoice=Invoice(pk=UUID(event["payload"]["invoice"])), message_id=event["id"])


@handles("shipment.handed_over", queue_name="mail")
def confirm_shipment(event: Event) -> None:
    """Mails the customer how to follow the parcels, unless they have come meanwhile or come back."""
    shipment = Shipment.objects.select_related("order").get(pk=UUID(event["payload"]["shipment"]))
    order = shipment.order
    if not order.email or shipment.status not in Shipment.ON_THE_WAY:
        return
    by_line = shipment.lines.order_by("order_item__line").values_list("order_item__name", "order_item__sku")
    sums = by_line.annotate(Sum("quantity"))
    lines = [f"  {quantity.normalize():f} x {name or sku}" for name, sku, quantity in sums]
    follow = [
        f"{title}: {value}" for title, value in (
            ("Carrier", shipment.carrier), ("Tracking number", shipment.tracking_number), ("Follow it at", shipment.tracking_url),
        ) if value
    ]
    more = [] if order.status == SalesOrder.Status.SHIPPED else ["The rest of your order follows.", ""]
    _news(order, event["id"], "is on its way", [*lines, "", *follow, *([""] if follow else []), *more])


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
    lines = [
        f"  {line.shipped_quantity.normalize():f} x {line.name or line.sku}"
        for line in order.lines.filter(kit=None).order_by("line")
    ]
    _news(order, event_id, "was delivered", [*lines, "", "Thank you for your order.", ""])


def _news(order: SalesOrder, event_id: str, news: str, lines: Sequence[str]) -> None:
    shop = Organization.objects.get(pk=active_organization_id()).name
    text = [f"Your order {order.number} from {shop} {news}:", "", *lines]
    _send(order.email, event_id, f"Your order {order.number} {news}", text)


def _send(address: str, event_id: str, subject: str, text: Sequence[str]) -> None:
    """To whom gave an address."""
    if not address:
        return
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">")
    headers = {"Message-ID": f"<{event_id}@{domain}>"}  # the same if a crash sends it twice
    EmailMessage(" ".join(subject.split()), "\n".join(text), to=[address], headers=headers).send()
