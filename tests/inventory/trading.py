"""Somebody who does whatever can be done with a stock, by chance or as hypothesis says."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.utils import timezone

from core.errors import DomainError
from inventory.gs1.meaning import sscc
from inventory.models import (
    Location,
    LogisticUnit,
    LogisticUnitContent,
    Lot,
    ProductVariant,
    ReasonCode,
    Reservation,
    StockAdjustment,
    StockCount,
    StockItem,
    StockMove,
    TransferOrder,
    Warehouse,
)
from inventory.queries.closings import today
from inventory.services.adjustments import adjustment_approve, adjustment_post
from inventory.services.candidates import Wanted
from inventory.services.closings import period_close
from inventory.services.count_posting import Rest, stock_count_post
from inventory.services.counts import Counted, Selection, stock_count_open, stock_count_record
from inventory.services.logistic_units import unit_create
from inventory.services.lots import lot_status_change
from inventory.services.packing import unit_move, unit_pack, unit_unpack
from inventory.services.posting import Line, LotCode
from inventory.services.reservations import Demand, Pick, Shortage, stock_pick, stock_release, stock_reserve
from inventory.services.reversal import stock_reverse
from inventory.services.stock import (
    Adjustment,
    Circumstances,
    stock_adjust,
    stock_assemble,
    stock_issue,
    stock_move,
    stock_receive,
)
from inventory.services.transfer_moves import (
    Part,
    transfer_order_close,
    transfer_order_receive,
    transfer_order_ship,
    transfer_order_take_back,
)
from inventory.services.transfers import (
    TransferLine,
    transfer_order_cancel,
    transfer_order_confirm,
    transfer_order_create,
)
from tests.inventory.goods import Goods


def stock_happens(goods: Goods) -> None:
    """What is told of stock besides postings."""
    lot = goods.receive_lot(5, goods.tracked(sku="TOLD"), "L1")
    line = Wanted(lot.variant_id, goods.warehouse.pk, Decimal(2))
    done = stock_reserve(lines=[line], demand=Demand("test", uuid4(), timezone.now() + timedelta(days=1)))
    stock_release(reservations=done.reservations)
    lot_status_change(lot_ids=[lot.pk], status="blocked", reason="Wet")
    goods.receive(1, variant=goods.nut)
    shop = Warehouse.objects.create(code="TOLD", name="Told")
    Location.objects.create(warehouse=shop, code="COUNTER")
    sent = TransferLine(goods.nut.pk, Decimal(1))
    order = transfer_order_ship(order=transfer_order_create(source=goods.warehouse, destination=shop, lines=[sent]))
    transfer_order_receive(order=order)
    parcel = unit_create(sscc=sscc("9506000", 1), location_id=goods.shelf.pk)
    unit_pack(unit_id=parcel.pk, lines=[Line(lot.variant_id, Decimal(1), lot_id=lot.pk)])
    ReasonCode.objects.filter(pk=goods.found.pk).update(approval_over_quantity=1)
    asked: Any = adjustment_post(
        adjustments=[Adjustment(goods.bolt.pk, goods.shelf.pk, change=Decimal(5))],
        circumstances=Circumstances(reason_id=goods.found.pk),
    )
    StockAdjustment.objects.filter(pk=asked.pk).update(requested_by=uuid4())
    adjustment_approve(adjustment_id=asked.pk)
    period_close(through=today() - timedelta(days=400))


VERBS = (
    "receive", "issue", "move", "count", "sheet", "reserve", "pick", "release", "reverse", "assemble", "hold", "transfer",
    "forward", "settle", "pack", "unpack", "carry",
)
CODES = ("A", "B", "C")
RECENT = 20  # what a trader looks among

type Choose = Callable[[Sequence[Any]], Any]


class Trader:
    """Refusals are part of the trade; anything else that is raised is a fault."""

    def __init__(self, goods: Goods, variants: Sequence[ProductVariant], choose: Choose) -> None:
        self.goods, self.variants, self.choose = goods, variants, choose
        self.places = [goods.shelf, goods.other_shelf, goods.quarantine]

    def act(self, verb: str) -> str:
        """The code of the refusal, if it was refused."""
        try:
            with transaction.atomic():
                getattr(self, verb)()
        except DomainError as refused:
            return refused.code
        return ""

    def quantity(self) -> Decimal:
        return Decimal(self.choose(range(1, 6)))

    def some(self, number: int) -> list[ProductVariant]:
        return [self.choose(self.variants) for _ in range(self.choose(range(1, number + 1)))]

    def incoming(self, variant: ProductVariant) -> Line:
        tracking = variant.product.tracking
        label = None if tracking == "none" else LotCode(self.choose(CODES))
        quantity = Decimal(1) if tracking == "serial" else self.quantity()
        return Line(variant.pk, quantity, to_location_id=self.choose(self.places).pk, lot=label)

    def there(self, variant: ProductVariant) -> StockItem | None:
        items = list(StockItem.objects.filter(variant=variant, quantity__gt=0).order_by("id")[:RECENT])
        return self.choose(items) if items else None

    def outgoing(self, variants: Sequence[ProductVariant], **values: Any) -> list[Line]:
        return [
            Line(
                item.variant_id, Decimal(1) if item.is_serial else self.quantity(), item.location_id, lot_id=item.lot_id,
                **values,
            )
            for variant in variants if (item := self.there(variant))
        ]

    def receive(self) -> None:
        stock_receive(lines=[self.incoming(variant) for variant in self.some(4)])

    def issue(self) -> None:
        stock_issue(lines=self.outgoing(self.some(4)))

    def move(self) -> None:
        stock_move(lines=self.outgoing(self.some(4), to_location_id=self.choose(self.places).pk))

    def assemble(self) -> None:
        made = next(variant for variant in self.variants if variant.product.tracking == "none")
        kit = Line(made.pk, Decimal(1), to_location_id=self.goods.shelf.pk)
        stock_assemble(components=self.outgoing(self.some(2)), kits=[kit])

    def count(self) -> None:
        if item := self.there(self.choose(self.variants)):
            counted = Decimal(self.choose((0, 1))) if item.is_serial else self.quantity()
            adjustment = Adjustment(item.variant_id, item.location_id, counted=counted, lot_id=item.lot_id)
            stock_adjust(adjustments=[adjustment], circumstances=Circumstances(reason_id=self.goods.found.pk))

    def sheet(self) -> None:
        """On the one that is open."""
        open_count = StockCount.objects.filter(status="open").order_by("-id").first()
        count = open_count or stock_count_open(selection=Selection(self.goods.warehouse.pk))
        lines = {}
        for item in filter(None, map(self.there, self.some(3))):
            counted = Decimal(self.choose((0, 1))) if item.is_serial else self.quantity()
            lines[item.pk] = Counted(counted, variant_id=item.variant_id, location_id=item.location_id, lot_id=item.lot_id)
        stock_count_record(count_id=count.pk, lines=list(lines.values()))

    def settle(self) -> None:
        """A step of its own: who has recorded shares the sheet with others who do, and nobody posts it meanwhile."""
        if count := StockCount.objects.filter(status="open").order_by("id").first():
            stock_count_post(count_id=count.pk, rest=Rest.LEAVE)

    def reserve(self) -> None:
        expires = self.choose((None, timezone.now() + timedelta(hours=1)))
        lines = [Wanted(variant.pk, self.goods.warehouse.pk, self.quantity()) for variant in self.some(5)]
        stock_reserve(lines=lines, demand=Demand("test", uuid4(), expires), shortage=self.choose(list(Shortage)))

    def promised(self) -> list[Reservation]:
        return list(Reservation.objects.filter(status="active").order_by("-id")[:RECENT])

    def pick(self) -> None:
        if rows := self.promised():
            chosen = {self.choose(rows).pk for _ in range(3)}
            stock_pick(picks=[Pick(key, self.choose((None, Decimal(1)))) for key in sorted(chosen)])

    def release(self) -> None:
        if rows := self.promised():
            stock_release(reservations=list({self.choose(rows).pk for _ in range(3)}))

    def reverse(self) -> None:
        if moves := list(StockMove.objects.filter(reverses=None).order_by("-seq").values_list("pk", flat=True)[:RECENT]):
            stock_reverse(moves=list({self.choose(moves) for _ in range(2)}))

    def transfer(self) -> None:
        shop, _ = Warehouse.objects.get_or_create(code="SHOP", defaults={"name": "Shop"})
        Location.objects.get_or_create(warehouse=shop, code="COUNTER")
        lines = [TransferLine(variant.pk, self.quantity()) for variant in self.some(4)]
        order = transfer_order_create(source=self.goods.warehouse, destination=shop, lines=lines)
        self.choose((transfer_order_confirm, transfer_order_ship))(order=order)

    def forward(self) -> None:
        """What a transfer order's goods may meet."""
        orders = TransferOrder.objects.filter(status__in=TransferOrder.UNDER_WAY).order_by("-pk")[:RECENT]
        if not (found := list(orders)):
            return
        order, verb = self.choose(found), self.choose((
            transfer_order_ship, transfer_order_receive, transfer_order_receive, transfer_order_take_back, transfer_order_cancel,
            transfer_order_close,
        ))
        if verb is transfer_order_cancel:
            verb(order=order)
        elif verb is transfer_order_close:
            verb(order=order, circumstances=Circumstances(reason_id=self.goods.found.pk))
        else:
            line = self.choose(list(order.lines.all()))
            verb(order=order, lines=self.choose((None, [Part(line.pk, Decimal(1))])))

    def pack(self) -> None:
        """Into one of two units at the place."""
        if item := self.there(self.choose(self.variants)):
            number = self.choose((0, 1))
            found = list(LogisticUnit.objects.filter(location_id=item.location_id).order_by("id")[:2])
            unit = found[number] if number < len(found) else unit_create(
                sscc=sscc("9506000", uuid4().int % 10**9), location_id=item.location_id,
            )
            quantity = Decimal(1) if item.is_serial else self.quantity()
            unit_pack(unit_id=unit.pk, lines=[Line(item.variant_id, quantity, lot_id=item.lot_id)])

    def unpack(self) -> None:
        if units := self.filled():
            unit_unpack(unit_id=self.choose(units))

    def carry(self) -> None:
        if units := self.filled():
            unit_move(unit_id=self.choose(units), location_id=self.choose(self.places).pk)

    @staticmethod
    def filled() -> list[Any]:
        return list(LogisticUnitContent.objects.order_by("-id").values_list("unit", flat=True)[:RECENT])

    def hold(self) -> None:
        if lots := list(Lot.objects.order_by("id")[:RECENT]):
            lot_status_change(lot_ids=[self.choose(lots).pk], status=self.choose(Lot.Status.values), reason="By chance")
