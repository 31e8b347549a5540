"""A small stock to test with: one warehouse, three locations, two variants, a reason."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from inventory.models import Location, Lot, Product, ProductVariant, ReasonCode, ReorderRule, StockItem, UnitOfMeasure, Warehouse
from inventory.services.levels import levels_refresh
from inventory.services.posting import Line, LotCode, Posted
from inventory.services.stock import Adjustment, Circumstances, stock_adjust, stock_issue, stock_move, stock_receive


@dataclass
class Goods:
    warehouse: Warehouse
    shelf: Location
    other_shelf: Location
    quarantine: Location
    bolt: ProductVariant
    nut: ProductVariant
    found: ReasonCode
    damaged: ReasonCode

    @classmethod
    def create(cls) -> "Goods":
        """In the active organization."""
        unit = UnitOfMeasure.objects.get(code="C62")
        product = Product.objects.create(name="Fasteners", base_unit=unit)
        warehouse = Warehouse.objects.create(code="W1", name="Main")
        shelf, other, quarantine = (
            Location.objects.create(warehouse=warehouse, code=code, kind=kind)
            for code, kind in (("A-1", "storage"), ("A-2", "storage"), ("Q", "quarantine"))
        )
        bolt, nut = (
            ProductVariant.objects.create(product=product, sku=sku, name=sku.title(), standard_cost=Decimal("2.5"))
            for sku in ("BOLT", "NUT")
        )
        found, damaged = (ReasonCode.objects.get(kind="adjustment", code=code) for code in ("FOUND", "DAMAGED"))
        return cls(warehouse, shelf, other, quarantine, bolt, nut, found, damaged)

    def tracked(self, tracking: str = "lot", sku: str = "MILK", **values: Any) -> ProductVariant:
        """A variant of a product that is tracked so."""
        product = Product.objects.create(name=sku.title(), base_unit=UnitOfMeasure.objects.get(code="C62"), tracking=tracking)
        made: ProductVariant = ProductVariant.objects.create(
            product=product, sku=sku, name=sku.title(), standard_cost=Decimal("2.5"), **values,
        )
        return made

    def receive_lot(
        self, quantity: Any, variant: ProductVariant, code: str, to: Location | None = None, expires_on: date | None = None,
    ) -> Lot:
        """The lot, which is made if it is new."""
        label = LotCode(code, expires_on)
        stock_receive(lines=[Line(variant.pk, Decimal(quantity), to_location_id=(to or self.shelf).pk, lot=label)])
        lot: Lot = Lot.objects.get(variant=variant, code=code)
        return lot

    def receive(self, quantity: Any, variant: ProductVariant | None = None, to: Location | None = None, **shared: Any) -> Posted:
        line = Line((variant or self.bolt).pk, Decimal(quantity), to_location_id=(to or self.shelf).pk)
        return stock_receive(lines=[line], circumstances=Circumstances(**shared))

    def issue(self, quantity: Any, variant: ProductVariant | None = None, **shared: Any) -> Posted:
        line = Line((variant or self.bolt).pk, Decimal(quantity), from_location_id=self.shelf.pk)
        return stock_issue(lines=[line], circumstances=Circumstances(**shared))

    def move(self, quantity: Any, to: Location, variant: ProductVariant | None = None) -> Posted:
        line = Line((variant or self.bolt).pk, Decimal(quantity), from_location_id=self.shelf.pk, to_location_id=to.pk)
        return stock_move(lines=[line])

    def adjust(
        self, reason: ReasonCode | None = None, note: str = "", variant: ProductVariant | None = None, **values: Any,
    ) -> Posted:
        numbers = {name: Decimal(value) for name, value in values.items()}
        adjustment = Adjustment((variant or self.bolt).pk, self.shelf.pk, **numbers)
        return stock_adjust(adjustments=[adjustment], circumstances=Circumstances(reason_id=(reason or self.found).pk, note=note))

    def count(self, quantity: Any, *, key: str) -> Posted:
        counted = Adjustment(self.bolt.pk, self.shelf.pk, counted=Decimal(quantity))
        return stock_adjust(
            adjustments=[counted], circumstances=Circumstances(reason_id=self.found.pk, idempotency_key=key),
        )

    def on_hand(self, variant: ProductVariant | None = None, location: Location | None = None) -> Decimal:
        item = StockItem.objects.filter(variant=variant or self.bolt, location=location or self.shelf).first()
        return item.quantity if item else Decimal(0)

    def rule(self, minimum: Any = 5, variant: ProductVariant | None = None, **values: Any) -> ReorderRule:
        rule = ReorderRule.objects.create(
            variant=variant or self.bolt, warehouse=self.warehouse, min_quantity=Decimal(minimum), **values,
        )
        levels_refresh([rule.pk])
        return rule
