"""The tables of an earlier parts inventory: parts (partId, name, price, reorderThreshold, …) and stock (partId, vehicleModel,
quantity). The organization stands where their userId stood."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from accounts.models import Organization, Party
from core.records import BadValue, Record
from core.tenancy import active_organization_id
from inventory.models import (
    Fitment,
    Location,
    Product,
    ProductVariant,
    ReasonCode,
    ReorderRule,
    Supplier,
    SupplierProduct,
    UnitOfMeasure,
)
from inventory.queries.kits import no_stock_of
from inventory.queries.parts import vehicle_models_named
from inventory.services.basics import OPENING, main_location, reasons_create
from inventory.services.levels import levels_refresh
from inventory.services.locks import lock_posting
from inventory.services.opening_stock import opening_stock_follow
from inventory.services.table_run import TableRun, categories_follow, free_sku
from inventory.services.units import PIECE, units_create
from inventory.services.upsert import Counts, Draft

ID, LONGEST_ID = "partId", 90
NAMES = {"name": "name", "external_ref": ID, "sku": "sku", "standard_cost": "price", "min_quantity": "reorderThreshold"}


def part_ref(key: str) -> str:
    return f"part:{key}"


def parts_tables_import(*, run: TableRun, parts: Sequence[Record], stock: Sequence[Record]) -> None:
    """Into the active organization, within the caller's transaction. The file wins, but only in what it says."""
    lock_posting("parts import")
    units_create([PIECE])
    reasons_create([(ReasonCode.Kind.ADJUSTMENT, OPENING)])
    location = main_location()
    rows = [record for record in parts if _is_possible(run, record)]
    variants = _variants(run, rows)
    known = ProductVariant.objects.in_bulk(variants.values())
    _supplies(run, rows, variants, known)
    _fitments(run, rows, variants)
    _stock(run, stock, location)
    _rules(run, rows, variants, location, known)


def _is_possible(run: TableRun, record: Record) -> bool:
    try:
        record.text(ID, longest=LONGEST_ID, is_required=True)
        record.text("name", longest=200, is_required=True)
        record.text("description")
        record.text("category", longest=90)
        record.text("sku", longest=64)
        for name in ("price", "reorderThreshold"):
            record.number(name)
        _vehicles(record)
        _suppliers(record)
    except BadValue as error:
        run.leave_out(record, error.name, error.reason)
        return False
    return True


def _vehicles(record: Record) -> list[str]:
    """As "make model year". Raises BadValue."""
    return _texts(record, "vehicleModel", "vehicleModels")


def _suppliers(record: Record) -> list[str]:
    """Raises BadValue."""
    return _texts(record, "supplier", "suppliers")


def _texts(record: Record, *names: str) -> list[str]:
    """Raises BadValue."""
    texts = []
    for name in names:
        for place, one in enumerate(record.several(name)):
            texts.append(Record(record.file, record.place, {f"{name}/{place}": one}).text(f"{name}/{place}", longest=200))
    return list(dict.fromkeys(filter(None, texts)))


def _variants(run: TableRun, rows: Sequence[Record]) -> dict[int, UUID]:
    """By the place of the record."""
    categories, unit = categories_follow(run, rows), UnitOfMeasure.objects.get(code=PIECE)
    refs = [part_ref(row.text(ID)) for row in rows]
    products = run.upsert("products", rows, Product.objects.filter(external_ref__in=refs), [
        Draft(place, _of_product(row, refs[place], categories), starts={"base_unit_id": unit.pk})
        for place, row in enumerate(rows)
    ], names=NAMES)
    taken = set(ProductVariant.objects.exclude(external_ref__in=refs).values_list("sku", flat=True))
    return run.upsert("variants", rows, ProductVariant.objects.filter(external_ref__in=refs), [
        Draft(
            place, _of_variant(rows[place], refs[place], product),
            starts={"sku": free_sku(rows[place].text("sku") or rows[place].text(ID), taken, "PART")},
        )
        for place, product in products.items()
    ], names=NAMES)


def _of_product(row: Record, ref: str, categories: Mapping[str, UUID]) -> dict[str, Any]:
    """What is not in the record stays as it is here."""
    said: dict[str, Any] = {"external_ref": ref, "name": row.text("name")}
    if category := row.text("category"):
        said["category_id"] = categories[category]
    if description := row.text("description"):
        said["description"] = description
    return said


def _of_variant(row: Record, ref: str, product: UUID) -> dict[str, Any]:
    said: dict[str, Any] = {"external_ref": ref, "product_id": product, "name": row.text("name")}
    if (price := row.number("price")) is not None:
        said["standard_cost"] = price
    return said


def _supplies(
    run: TableRun, rows: Sequence[Record], variants: Mapping[int, UUID], known: Mapping[UUID, ProductVariant],
) -> None:
    """The supplier's own number is unknown: ours stands in for it. The first one is preferred, unless another one is here."""
    suppliers = _partners(run, [name for place in variants for name in _suppliers(rows[place])])
    here = SupplierProduct.objects.filter(variant__in=variants.values())
    held = set(here.values_list("variant_id", "supplier_id"))
    preferred = set(here.filter(is_preferred=True).values_list("variant_id", flat=True))
    counts, new = Counts(), list[SupplierProduct]()
    for place, variant in variants.items():
        for name in _suppliers(rows[place]):
            if (variant, suppliers[name]) in held:
                counts.add(Counts(unchanged=1))
                continue
            if known[variant].sold_by_components:
                run.leave_out(rows[place], "supplier", _no_stock(known[variant]))
                continue
            new.append(SupplierProduct(
                variant_id=variant, supplier_id=suppliers[name], supplier_sku=known[variant].sku,
                is_preferred=variant not in preferred,
            ))
            held.add((variant, suppliers[name]))
            preferred.add(variant)
    SupplierProduct.objects.bulk_create(new)
    counts.add(Counts(created=len(new)))
    run.count("supplier products", counts)


def _no_stock(variant: ProductVariant) -> str:
    return no_stock_of(variant.sku).rstrip(".")


def _partners(run: TableRun, names: Iterable[str]) -> dict[str, UUID]:
    """By code or name; one that is missing is made."""
    currency = Organization.objects.values_list("base_currency", flat=True).get(pk=active_organization_id())
    found: dict[str, UUID] = {}
    for name in dict.fromkeys(names):
        code = name[:40]
        supplier = Supplier.objects.filter(code=code).first() or Supplier.objects.filter(party__name=name).order_by("pk").first()
        run.count("suppliers", Counts(unchanged=1) if supplier else Counts(created=1))
        if supplier is None:
            supplier = Supplier.objects.create(party=Party.objects.create(name=name), code=code, currency=currency)
        found[name] = supplier.pk
    return found


def _fitments(run: TableRun, rows: Sequence[Record], variants: Mapping[int, UUID]) -> None:
    """Added to those that are here. A vehicle that is unknown is left out alone."""
    named = vehicle_models_named([text for place in variants for text in _vehicles(rows[place])])
    here = set(Fitment.objects.filter(variant__in=variants.values(), position="").values_list("variant_id", "vehicle_model_id"))
    counts, new = Counts(), dict[tuple[UUID, UUID], Fitment]()
    for place, variant in variants.items():
        for text in _vehicles(rows[place]):
            if not named[text]:
                run.leave_out(rows[place], "vehicleModel", f"there is no vehicle model {text!r}, so the part goes in without it")
            for model in named[text]:
                if (variant, model) in here:
                    counts.add(Counts(unchanged=1))
                else:
                    new[variant, model] = Fitment(variant_id=variant, vehicle_model_id=model)
    Fitment.objects.bulk_create(new.values())
    counts.add(Counts(created=len(new)))
    run.count("fitments", counts)


def _rules(
    run: TableRun, rows: Sequence[Record], variants: Mapping[int, UUID], location: Location,
    known: Mapping[UUID, ProductVariant],
) -> None:
    """After the stock: rules are locked after stock items."""
    wanted = {place: key for place, key in variants.items() if rows[place].number("reorderThreshold") is not None}
    for place, key in wanted.items():
        if known[key].sold_by_components:
            run.leave_out(rows[place], "reorderThreshold", _no_stock(known[key]))
    existing = ReorderRule.objects.filter(variant__in=variants.values(), warehouse=location.warehouse_id, vehicle_model=None)
    ids = run.upsert("reorder rules", rows, existing, [
        Draft(
            place, {"variant_id": variant, "min_quantity": rows[place].number("reorderThreshold")},
            starts={"warehouse_id": location.warehouse_id, "basis": ReorderRule.Basis.ON_HAND},
        )
        for place, variant in wanted.items() if not known[variant].sold_by_components
    ], names=NAMES, key=("variant_id",))
    levels_refresh(ids.values())


def _stock(run: TableRun, records: Sequence[Record], location: Location) -> None:
    """Of a part for several vehicles there is one stock here: the sum."""
    parts = ProductVariant.objects.filter(external_ref__startswith=part_ref(""))
    variants = {part.external_ref: part for part in parts.only("external_ref", "sku", "sold_by_components")}
    units, last, seen = dict[UUID, Decimal](), dict[UUID, Record](), set[tuple[str, str]]()
    for record in records:
        try:
            key, vehicle = record.text(ID, longest=LONGEST_ID, is_required=True), record.text("vehicleModel", longest=200)
            if (variant := variants.get(part_ref(key))) is None:
                raise BadValue(ID, f"there is no part {key}: import the parts first")
            if (key, vehicle) in seen:
                raise BadValue(ID, "an earlier record is about the same part and vehicle")
            if (quantity := record.number("quantity")) is None:
                raise BadValue("quantity", "a value is required")
            if variant.sold_by_components:
                raise BadValue("quantity", _no_stock(variant))
        except BadValue as error:
            run.leave_out(record, error.name, error.reason)
            continue
        seen.add((key, vehicle))
        units[variant.pk], last[variant.pk] = units.get(variant.pk, Decimal(0)) + quantity, record
    counts, refused = opening_stock_follow(key="parts-opening:", note="Parts import", units=units, location=location)
    for variant in refused:
        run.leave_out(last[variant], "quantity", f"{units[variant]:f} is less than what has left since")
    run.count("opening stock", counts)
