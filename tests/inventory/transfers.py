"""Two warehouses with goods in the first one, to send some to the second one."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from inventory.models import Location, ProductVariant, StockItem, TransferOrder, TransferOrderLine, Warehouse
from inventory.services.transfers import TransferLine, transfer_order_create
from tests.inventory.goods import Goods


@dataclass
class Two:
    goods: Goods
    shop: Warehouse
    counter: Location

    @classmethod
    def create(cls, goods: Goods | None = None) -> "Two":
        """In the active organization."""
        goods = goods or Goods.create()
        shop = Warehouse.objects.create(code="SHOP", name="Shop")
        return cls(goods, shop, Location.objects.create(warehouse=shop, code="COUNTER"))

    def order(self, *lines: tuple[ProductVariant, Any], **values: Any) -> TransferOrder:
        asked = [TransferLine(variant.pk, Decimal(quantity)) for variant, quantity in lines]
        return transfer_order_create(source=self.goods.warehouse, destination=self.shop, lines=asked, **values)


def quantities(order: TransferOrder) -> list[tuple[int, int, int, int, int]]:
    """Of each line: ordered, shipped, received, lost, canceled."""
    rows = TransferOrderLine.objects.filter(order=order).order_by("line").values_list(
        "quantity", "shipped_quantity", "received_quantity", "lost_quantity", "cancelled_quantity",
    )
    return [tuple(int(value) for value in row) for row in rows]  # type: ignore[misc]  # five of them


def places(variant: ProductVariant) -> dict[str, tuple[int, int]]:
    """On hand and reserved, by the code of the location."""
    rows = StockItem.objects.filter(variant=variant).exclude(quantity=0).values_list("location__code", "quantity", "reserved")
    found: dict[str, tuple[int, int]] = {}
    for code, quantity, reserved in rows:
        have = found.get(code, (0, 0))
        found[code] = (have[0] + int(quantity), have[1] + int(reserved))
    return found
