"""A supplier, and a warehouse that wants goods."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from accounts.models import Organization
from inventory.models import ProductVariant, ReorderTask, Supplier
from inventory.services.replenishment import reorder_check
from orders.models import PurchaseOrder, PurchaseOrderItem
from orders.services.purchase_states import purchase_order_send, purchase_order_submit
from orders.services.purchasing import PurchaseLine, purchase_order_create
from tests.factories.accounts import ContactFactory
from tests.factories.inventory import SupplierFactory, SupplierProductFactory
from tests.inventory.goods import Goods


@dataclass
class Buying:
    goods: Goods
    supplier: Supplier

    @classmethod
    def create(cls, goods: Goods | None = None, *, email: str = "orders@supplier.test", **supplier: Any) -> "Buying":
        """In the active organization."""
        made = SupplierFactory(code="ACME", **{"currency": "EUR", "min_order_value": 0, **supplier})
        ContactFactory(party=made.party, email=email, is_primary=True)
        return cls(goods or Goods.create(), made)

    def sells(self, variant: ProductVariant, price: Any = 2, **values: Any) -> None:
        SupplierProductFactory(
            supplier=self.supplier, variant=variant, last_price=price and Decimal(price),
            **{"is_preferred": True, "pack_size": 1, "order_multiple": 1, "min_order_quantity": 0, **values},
        )

    def order(self, *lines: tuple[ProductVariant, Any], over: Any = 0, **values: Any) -> PurchaseOrder:
        asked = [
            PurchaseLine(variant.pk, Decimal(quantity), Decimal(2), over_receipt_percent=Decimal(over))
            for variant, quantity in lines
        ]
        return purchase_order_create(supplier=self.supplier, warehouse=self.goods.warehouse, lines=asked, **values)

    def sent(self, *lines: tuple[ProductVariant, Any], **values: Any) -> PurchaseOrder:
        order = purchase_order_submit(order=self.order(*lines, **values))
        return purchase_order_send(order=order)

    def task(self, variant: ProductVariant | None = None, minimum: Any = 5, **values: Any) -> ReorderTask:
        """Found by the check."""
        rule = self.goods.rule(minimum, variant, **values)
        reorder_check()
        found: ReorderTask = ReorderTask.objects.get(rule=rule)
        return found


def limit_purchases(value: Any) -> None:
    Organization.objects.update(purchase_approval_over=value)


def quantities(order: PurchaseOrder) -> list[tuple[int, int, int, int]]:
    """Of each line: ordered, received, returned, rejected."""
    rows = PurchaseOrderItem.objects.filter(order=order).order_by("line").values_list(
        "quantity", "received_quantity", "returned_quantity", "rejected_quantity",
    )
    return [tuple(int(value) for value in row) for row in rows]  # type: ignore[misc]  # four of them
