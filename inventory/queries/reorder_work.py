"""The tasks to work off, with what one has to know to order: who sells it at what price, and the numbers of now."""

from collections import defaultdict
from collections.abc import Collection
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from inventory.models import ReorderTask, Supplier, SupplierProduct
from inventory.queries.reorder_numbers import reorder_numbers

SHOWN = 200


def work_list(tasks: QuerySet[ReorderTask], *, chosen: Collection[UUID] = ()) -> list[dict[str, Any]]:
    """The open ones, or those that are chosen and not decided, by supplier and SKU; 200 at most."""
    wanted = Q(pk__in=chosen, status__in=ReorderTask.UNDECIDED) if chosen else Q(status=ReorderTask.Status.OPEN)
    rows = list(
        tasks.filter(wanted).select_related("variant", "warehouse", "supplier__party", "source_warehouse")
        .order_by("supplier__code", "variant__sku", "pk")[:SHOWN]
    )
    numbers = reorder_numbers({task.rule_id for task in rows})
    offers = _offers({task.variant_id for task in rows})
    found = []
    for task in rows:
        now = numbers[task.rule_id]
        sellers = offers[task.variant_id]
        if task.supplier and task.supplier.pk not in sellers:
            sellers = {**sellers, task.supplier.pk: (task.supplier, None)}
        found.append({
            "task": task, "now": now, "sellers": [supplier for supplier, _ in sellers.values()],
            "prices": {key: price for key, (_, price) in sellers.items()},
            "quantity": now["suggested_quantity"] or task.suggested_quantity,
        })
    return found


def _offers(variants: Collection[UUID]) -> dict[UUID, dict[UUID, tuple[Supplier, Decimal | None]]]:
    """Who sells each variant, and what it cost there last, the preferred one first."""
    items = SupplierProduct.objects.filter(
        variant__in=variants, supplier__status=Supplier.Status.ACTIVE, supplier__archived_at=None,
    )
    found: dict[UUID, dict[UUID, tuple[Supplier, Decimal | None]]] = defaultdict(dict)
    for item in items.select_related("supplier__party").order_by("-is_preferred", "pk"):
        found[item.variant_id].setdefault(item.supplier_id, (item.supplier, item.last_price))
    return found
