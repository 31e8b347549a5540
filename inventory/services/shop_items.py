"""The items of an earlier shop: id, title, category, type, company, description, storage, colorPreference."""

from collections.abc import Sequence
from uuid import UUID

from accounts.models import Party
from core.errors import Invalid
from core.records import BadValue, Record
from inventory.models import AttributeDefinition, Product, ProductAttributeValue, ProductVariant, UnitOfMeasure
from inventory.services.attributes import attributes_set
from inventory.services.locks import lock_posting
from inventory.services.table_run import TableRun, categories_follow, free_sku
from inventory.services.units import PIECE, units_create
from inventory.services.upsert import Counts, Draft

ID, LONGEST_ID = "id", 90
NAMES = {"name": "title", "external_ref": ID, "sku": ID}
# What is kept as an attribute, with the name that it has where it is new.
ATTRIBUTES = {"type": "Type", "storage": "Storage", "colorPreference": "Available colors"}
CODES = {"colorPreference": "available_colors"}
LONGEST_VALUE = 400


def item_ref(key: str) -> str:
    return f"item:{key}"


def shop_items_import(*, run: TableRun, records: Sequence[Record]) -> None:
    """Into the active organization, within the caller's transaction. The file wins, but only in what it says."""
    lock_posting("shop import")
    units_create([PIECE])
    rows = [record for record in records if _is_possible(run, record)]
    categories, makers = categories_follow(run, rows), _makers(run, rows)
    unit = UnitOfMeasure.objects.get(code=PIECE)
    refs = [item_ref(row.text(ID)) for row in rows]
    products = run.upsert("products", rows, Product.objects.filter(external_ref__in=refs), [
        Draft(place, _said(row, ref, categories, makers), starts={"base_unit_id": unit.pk})
        for place, (row, ref) in enumerate(zip(rows, refs, strict=True))
    ], names=NAMES)
    taken = set(ProductVariant.objects.exclude(external_ref__in=refs).values_list("sku", flat=True))
    run.upsert("variants", rows, ProductVariant.objects.filter(external_ref__in=refs), [
        Draft(
            place, {"external_ref": refs[place], "product_id": product, "name": rows[place].text("title")},
            starts={"sku": free_sku(rows[place].text(ID), taken, "ITEM")},
        )
        for place, product in products.items()
    ], names=NAMES)
    _attributes(run, rows, products)


def _is_possible(run: TableRun, record: Record) -> bool:
    try:
        record.text(ID, longest=LONGEST_ID, is_required=True)
        record.text("title", longest=200, is_required=True)
        record.text("description")
        for name in ("category", "company"):
            record.text(name, longest=90)
        for name in ATTRIBUTES:
            record.texts(name, longest=LONGEST_VALUE)
    except BadValue as error:
        run.leave_out(record, error.name, error.reason)
        return False
    return True


def _said(row: Record, ref: str, categories: dict[str, UUID], makers: dict[str, UUID]) -> dict[str, object]:
    """What is not in the record stays as it is here."""
    said: dict[str, object] = {"external_ref": ref, "name": row.text("title")}
    if category := row.text("category"):
        said["category_id"] = categories[category]
    if company := row.text("company"):
        said["manufacturer_id"] = makers[company]
    if description := row.text("description"):
        said["description"] = description
    return said


def _makers(run: TableRun, rows: Sequence[Record]) -> dict[str, UUID]:
    places: dict[str, int] = {}
    for place, row in enumerate(rows):
        if company := row.text("company"):
            places.setdefault(company, place)
    refs = {company: f"company:{company}" for company in places}
    existing = Party.objects.filter(external_ref__in=refs.values())
    ids = run.upsert("companies", rows, existing, [
        Draft(place, {"external_ref": refs[company]}, starts={"name": company}) for company, place in places.items()
    ], names={"name": "company", "external_ref": "company"})
    return {company: ids[place] for company, place in places.items()}


def _attributes(run: TableRun, rows: Sequence[Record], products: dict[int, UUID]) -> None:
    """Only what differs is written. A value that an attribute of here does not take is left out alone."""
    definitions = {name: _definition(name) for name in ATTRIBUTES if any(row.texts(name, longest=LONGEST_VALUE) for row in rows)}
    kept = ProductAttributeValue.objects.filter(product__in=products.values(), variant=None, definition__in=definitions.values())
    before = {(one.product_id, one.definition_id): one.value_text for one in kept}
    counts = Counts()
    for place, product_id in products.items():
        for name, definition in definitions.items():
            value, was = rows[place].texts(name, longest=LONGEST_VALUE), before.get((product_id, definition.pk))
            if not value or value == was:
                counts.unchanged += bool(value)
                continue
            try:
                attributes_set(target=Product(pk=product_id), values={definition.code: value}, replace=False)
            except Invalid as error:
                run.leave_out(rows[place], name, f"{error.detail.rstrip('.')}, so the item goes in without it")
            else:
                counts.add(Counts(created=1) if was is None else Counts(updated=1))
    run.count("attribute values", counts)


def _definition(name: str) -> AttributeDefinition:
    made: AttributeDefinition
    made, _ = AttributeDefinition.objects.get_or_create(code=CODES.get(name, name), defaults={"name": ATTRIBUTES[name]})
    return made
