"""A transfer order by its scanned number: what is on its way, received with Ctrl+Enter."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse

from core.errors import Invalid
from core.limits import OutsideWarehouses, reach, within
from inventory.admin.clerk.pages import key_of, part, text_of, too_full, whole
from inventory.models import TransferOrder
from inventory.services.stock import Circumstances
from inventory.services.transfer_moves import transfer_order_receive

LOOK, RECEIVE = "inventory.view_transferorder", "inventory.receive_transferorder"
ON_THE_WAY = (TransferOrder.Status.PARTLY_SHIPPED, TransferOrder.Status.SHIPPED)


def transfer_view(site: Any, request: Any) -> HttpResponse:
    context = _context(request, _order(request, key_of(request.GET, "transfer_order")))
    if "HX-Request" in request.headers:
        return part(request, "transfer", **context)
    return whole(site, request, "transfer_page", title="Transfer order", subtitle=context["order"].number, **context)


def transfer(request: Any, key: UUID, **more: Any) -> HttpResponse:
    return part(request, "transfer", **_context(request, _order(request, key)), **more)


def receive_transfer_view(site: Any, request: Any) -> HttpResponse:
    order = _order(request, key_of(request.POST, "order"))
    allowed = reach(request.principal, RECEIVE)
    if allowed is not None and order.destination_id not in allowed:
        raise OutsideWarehouses
    if not (step := text_of(request.POST, "id", longest=40)):
        raise Invalid("Reload the page: this came without its number.")
    received = transfer_order_receive(order=order, circumstances=Circumstances(idempotency_key=f"scan:{step}"))
    return transfer(request, order.pk, done=f"{order.number} is received.{too_full(received.overfull)}")


def _order(request: Any, key: UUID) -> TransferOrder:
    seen = TransferOrder.objects.filter(within(TransferOrder, reach(request.principal, LOOK)))
    found: TransferOrder | None = seen.select_related("source", "destination", "to_location").filter(pk=key).first()
    if found is None:
        raise Http404
    return found


def _context(request: Any, order: TransferOrder) -> dict[str, Any]:
    lines = [
        {"line": line, "on_the_way": line.shipped_quantity - line.received_quantity - line.lost_quantity}
        for line in order.lines.select_related("variant", "lot").order_by("line")
    ]
    allowed = reach(request.principal, RECEIVE)
    may_receive = order.status in ON_THE_WAY and (allowed is None or order.destination_id in allowed)
    return {"order": order, "lines": lines, "may_receive": may_receive}
