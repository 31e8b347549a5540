"""The tray: what somebody takes along between two scans. Everybody has one, and nobody sees another's."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from django.utils import timezone

from core.errors import Invalid
from core.tenancy import active_scope
from inventory.models import Location, StockItem, TrayLine
from inventory.queries.drafts import tray_of
from inventory.services.posting import Line, Posted
from inventory.services.stock import Circumstances, stock_move

AWAKE = timedelta(hours=1)  # a tray that was forgotten does nothing by itself


@dataclass(frozen=True, slots=True)
class PutDown:
    posted: Posted
    quantities: dict[UUID, Decimal]  # by stock item


def tray_put(*, item_id: UUID) -> TrayLine:
    """All that is not reserved there, until it is said otherwise. Once more changes nothing."""
    found = StockItem.objects.filter(pk=item_id).first()
    if found is None:
        raise Invalid("There is no such stock.")
    if found.quantity <= found.reserved:
        raise Invalid("Nothing of it is free there: it is reserved, or gone.")
    line: TrayLine
    line, _ = TrayLine.objects.get_or_create(actor_id=_actor(), stock_item=found)
    return line


def tray_quantity(*, line_id: UUID, quantity: Decimal | None) -> None:
    """None: all."""
    if quantity is not None and quantity <= 0:
        raise Invalid("A quantity is above zero. To leave it there, take it out of the tray.")
    TrayLine.objects.filter(actor_id=_actor(), pk=line_id).update(quantity=quantity)


def tray_take_out(*, line_id: UUID | None = None) -> None:
    """A line, or the last one. It lies where it lay."""
    lines = TrayLine.objects.filter(actor_id=_actor())
    chosen = lines.filter(pk=line_id) if line_id else lines.filter(pk__in=lines.order_by("-pk").values("pk")[:1])
    chosen.delete()


def tray_awake() -> bool:
    """Whether it is being filled: scans then go into it, and a scanned location is where it goes."""
    return bool(TrayLine.objects.filter(actor_id=_actor(), created_at__gt=timezone.now() - AWAKE).exists())


def tray_put_down(*, location: Location, key: str) -> PutDown:
    """Moves all of it there, in one posting. Raises Invalid, or Conflict where goods are gone."""
    lines = list(TrayLine.objects.select_for_update(no_key=True).filter(actor_id=_actor()).order_by("pk"))
    carried = tray_of(_actor())
    if not lines:
        raise Invalid("The tray is empty.")
    here = [line.stock_item.variant.sku for line in carried if line.stock_item.location_id == location.pk]
    if here:
        raise Invalid(f"{', '.join(here)} lies there already: take it out of the tray, or scan another location.")
    quantities = {line.stock_item_id: line.takes for line in carried}
    posted = stock_move(
        lines=[
            Line(
                line.stock_item.variant_id, quantities[line.stock_item_id], line.stock_item.location_id, location.pk,
                lot_id=line.stock_item.lot_id,
            )
            for line in carried
        ],
        circumstances=Circumstances(idempotency_key=key),
    )
    TrayLine.objects.filter(pk__in=[line.pk for line in lines]).delete()
    return PutDown(posted, quantities)


def _actor() -> UUID:
    actor = active_scope().origin.actor_id
    if actor is None:
        raise Invalid("A tray belongs to a person.")
    return actor
