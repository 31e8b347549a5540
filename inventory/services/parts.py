"""Parts as older clients know them, one record for product, variant, supplier, vehicles and threshold."""

from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef
from django.utils.text import slugify

from core.errors import Conflict, Invalid
from inventory.models import (
    Category,
    Fitment,
    Location,
    Product,
    ProductVariant,
    ReasonCode,
    ReorderRule,
    StockAdjustment,
    StockItem,
    Supplier,
    SupplierProduct,
    UnitOfMeasure,
)
from inventory.queries.parts import vehicle_models_named
from inventory.services.adjustments import adjustment_post
from inventory.services.basics import reasons_create
from inventory.services.fitment import Mode, fitments_set
from inventory.services.replenishment import reorder_rules_settle
from inventory.services.stock import Adjustment, Circumstances
from inventory.services.units import PIECE, units_create

COUNTED = "COUNT"


def part_create(*, name: str, sku: str = "", **details: Any) -> ProductVariant:
    """`details` as of `part_change`."""
    units_create([PIECE])
    product = Product.objects.create(name=name, base_unit=UnitOfMeasure.objects.get(code=PIECE))
    variant = ProductVariant(product=product, name=name, sku=sku)
    variant.sku = sku or f"P-{variant.pk.hex[-10:].upper()}"
    variant.save()
    part_change(variant=variant, **details)
    return variant


def part_change(
    *, variant: ProductVariant, name: str | None = None, sku: str | None = None, description: str | None = None,
    category: str | None = None, price: Decimal | None = None, supplier: str | None = None,
    vehicles: Sequence[str] | None = None,
) -> None:
    """What is None stays. `category` and `supplier` by name, `vehicles` by "make model year" or id: these and no others."""
    of_product = {"name": name, "description": description, "category_id": None if category is None else _category(category)}
    of_variant = {"name": name, "sku": sku, "standard_cost": price}
    for row, values in ((variant.product, of_product), (variant, of_variant)):
        given = {column: value for column, value in values.items() if value is not None}
        for column, value in given.items():
            setattr(row, column, value)
        if given:
            row.save(update_fields=list(given))
    if supplier is not None:
        _supply(variant, supplier)
    if vehicles is not None:
        _fit(variant, vehicles)


def vehicle_models_meant(texts: Sequence[str]) -> list[UUID]:
    """Raises Invalid for a text that means none."""
    ids, words = list[UUID](), list[str]()
    for text in texts:
        try:
            ids.append(UUID(text))
        except ValueError:
            words.append(text)
    found = vehicle_models_named(words) if words else {}
    if missing := [text for text, meant in found.items() if not meant]:
        detail = f"There is no vehicle model {missing[0]!r}: write make, model and year as in /api/v1/vehicle-models/, or its id."
        raise Invalid(detail, code="does_not_exist", fields={"vehicleModel": detail})
    return list(dict.fromkeys([*ids, *(key for meant in found.values() for key in meant)]))


def threshold_set(
    *, variant_id: UUID, warehouse_id: UUID, minimum: Decimal, vehicle_models: Sequence[UUID | None] = (None,),
) -> None:
    """Of the rule for each of the vehicle models, or for all; a rule that is missing is made."""
    written = []
    for vehicle_model_id in vehicle_models:
        rule, _ = ReorderRule.objects.update_or_create(
            variant_id=variant_id, warehouse_id=warehouse_id, vehicle_model_id=vehicle_model_id,
            defaults={"min_quantity": minimum, "is_active": True},
        )
        written.append(rule.pk)
    reorder_rules_settle(rules=written)


def level_set(
    *, variant_id: UUID, location_id: UUID, counted: Decimal | None = None, change: Decimal | None = None, note: str = "",
) -> StockAdjustment | None:
    """Posts an adjustment, so that the ledger tells how the level came about; or what now waits for somebody's approval."""
    reason = ReasonCode.objects.filter(kind=ReasonCode.Kind.ADJUSTMENT, code=COUNTED).first()
    if reason is None:
        reasons_create([(ReasonCode.Kind.ADJUSTMENT, COUNTED)])
        reason = ReasonCode.objects.get(kind=ReasonCode.Kind.ADJUSTMENT, code=COUNTED)
    adjustment = Adjustment(variant_id, location_id, change=change, counted=counted)
    done = adjustment_post(adjustments=[adjustment], circumstances=Circumstances(reason_id=reason.pk, note=note))
    return done if isinstance(done, StockAdjustment) else None


def place_of(
    *, variant_id: UUID, warehouse: str = "", location: str = "", warehouses: Collection[UUID] | None = None,
    any_bin: bool = False,
) -> Location:
    """Where a level is meant: the place named by its codes, else the only one where the part lies, else the first bin, which
    is not divided into others.

    Raises Invalid where there is no such place, Conflict where the part lies in several; with `any_bin`, in several
    warehouses.
    """
    found = Location.objects.filter(kind=Location.Kind.STORAGE, warehouse__archived_at=None, warehouse__is_active=True)
    if warehouses is not None:
        found = found.filter(warehouse__in=warehouses)
    for name, code in (("warehouse__code", warehouse), ("code", location)):
        found = found.filter(**{name: code}) if code else found
    is_divided = Exists(Location.objects.filter(parent=OuterRef("pk")))
    order = ("warehouse__created_at", is_divided, "pick_sequence", "code", "pk")
    candidates = list(found.select_related("warehouse").order_by(*order))
    if not candidates:
        detail = "There is no such storage location here: make a warehouse with a location first, or name them by their codes."
        raise Invalid(detail, code="does_not_exist", fields={"location": detail})
    held = set(StockItem.objects.filter(variant=variant_id).exclude(quantity=0).values_list("location_id", flat=True))
    lies = [place for place in candidates if place.pk in held]
    if len({place.warehouse_id if any_bin else place.pk for place in lies}) > 1:
        names = ", ".join(f"{place.warehouse.code} {place.code}" for place in lies)
        raise Conflict(f"This part lies in several places ({names}): say which by warehouse and location.", code="several_places")
    chosen: Location = (lies or candidates)[0]
    return chosen


def _category(name: str) -> UUID | None:
    if not name:
        return None
    found = Category.objects.filter(name=name, archived_at=None).order_by("pk").first()
    category: Category = found or Category.objects.create(name=name, slug=slugify(name) or "category")
    return category.pk


def _supply(variant: ProductVariant, name: str) -> None:
    supplier = Supplier.objects.filter(code=name).first() or Supplier.objects.filter(party__name=name).order_by("pk").first()
    if supplier is None:
        detail = f"There is no supplier {name!r}: add it at /api/v1/suppliers/ first."
        raise Invalid(detail, code="does_not_exist", fields={"supplier": detail})
    items = SupplierProduct.objects.filter(variant=variant)
    items.filter(is_preferred=True).exclude(supplier=supplier).update(is_preferred=False)
    if not items.filter(supplier=supplier).update(is_preferred=True):
        SupplierProduct.objects.create(supplier=supplier, variant=variant, supplier_sku=variant.sku, is_preferred=True)


def _fit(variant: ProductVariant, texts: Sequence[str]) -> None:
    if texts:
        fitments_set(variant_id=variant.pk, vehicle_models=vehicle_models_meant(texts), mode=Mode.REPLACE)
    else:
        Fitment.objects.filter(variant=variant, position="").delete()
