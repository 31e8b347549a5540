"""The catalog, the partners and the warehouses of the demo's vehicle-parts company."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from django.utils.text import slugify

from accounts.models import Address, Contact, Party
from core.csv_kinds import DECIMAL, FLAG, INTEGER, TEXT, WORD
from core.dirty_csv import Column, Row, UnreadableTable, read_table
from inventory.models import (
    Category,
    Location,
    Product,
    ProductVariant,
    ReorderRule,
    Supplier,
    SupplierProduct,
    UnitOfMeasure,
    Warehouse,
)
from inventory.services.basics import reasons_create, units_create

SUPPLIERS = (
    *(Column(name, TEXT, required=True) for name in ("code", "name", "street", "city", "postal_code", "country")),
    *(Column(name, TEXT, required=True) for name in ("contact", "position", "email", "phone")),
    Column("lead_time_days", INTEGER, required=True),
    Column("min_order_value", DECIMAL, required=True),
)
PARTS = (
    Column("sku", TEXT, required=True),
    Column("name", TEXT, required=True),
    *(Column(name, WORD, required=True) for name in ("category", "manufacturer", "supplier", "unit")),
    *(Column(name, DECIMAL, required=True) for name in ("cost", "weight")),
    *(Column(name, WORD, required=True) for name in ("origin", "hs_code")),
    *(Column(name, INTEGER, required=True) for name in ("opening", "minimum", "maximum", "multiple", "weekly")),
    Column("restocked", FLAG, required=True),
)

PORTO, LISBON = "PORTO", "LISBOA"
SITES = {
    PORTO: ("Porto, main warehouse", {"street1": "Rua de Costa Cabral 1480", "city": "Porto", "postal_code": "4200-219"}),
    LISBON: ("Lisbon, branch", {"street1": "Avenida Infante Dom Henrique 306", "city": "Lisboa", "postal_code": "1950-421"}),
}
AISLES = {PORTO: "ABC", LISBON: "A"}
BINS_PER_AISLE = 4
AREAS = {
    "RECEIVING": ("Goods in", Location.Kind.RECEIVING), "SHIPPING": ("Goods out", Location.Kind.SHIPPING),
    "QUARANTINE": ("Set aside for inspection", Location.Kind.QUARANTINE), "SCRAP": ("Scrap", Location.Kind.SCRAP),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """`weekly` is what the main warehouse sells in a week; what is not `restocked` runs low in the demo's month."""

    variant_id: UUID
    supplier: str
    cost: Any
    opening: int
    minimum: int
    maximum: int
    multiple: int
    weekly: int
    restocked: bool
    bin_id: UUID
    branch_bin_id: UUID


def parts_create(*, folder: Path) -> list[Part]:
    """Everything but stock, in the active organization, which is new. Raises UnreadableTable."""
    rows = _read(folder / "parts.csv", PARTS)
    units_create()
    reasons_create()
    suppliers = _suppliers(_read(folder / "suppliers.csv", SUPPLIERS))
    bins = {site: _warehouse(site) for site in SITES}
    variants = _variants(rows)
    _supplier_products(rows, variants, suppliers)
    _rules(rows, variants, suppliers)
    return [
        Part(
            variant.pk, row.get("supplier", str), row.values["cost"], *(row.get(name, int) for name in
            ("opening", "minimum", "maximum", "multiple", "weekly")), row.get("restocked", bool),
            bins[PORTO][place % len(bins[PORTO])].pk, bins[LISBON][place % len(bins[LISBON])].pk,
        )
        for place, (row, variant) in enumerate(zip(rows, variants, strict=True))
    ]


def _read(path: Path, columns: tuple[Column, ...]) -> list[Row]:
    reading = read_table(path, columns)
    if reading.problems:
        raise UnreadableTable(f"The demo's data is damaged: {reading.problems[0]}")
    return reading.rows


def _suppliers(rows: list[Row]) -> dict[str, Supplier]:
    parties = Party.objects.bulk_create([
        Party(name=row.get("name", str), external_ref=f"supplier:{row.get('code', str)}", payment_terms_days=30) for row in rows
    ])
    pairs = list(zip(rows, parties, strict=True))
    Address.objects.bulk_create([
        Address(
            party=party, street1=row.get("street", str), city=row.get("city", str), postal_code=row.get("postal_code", str),
            country=row.get("country", str), is_default=True,
        )
        for row, party in pairs
    ])
    Contact.objects.bulk_create([
        Contact(
            party=party, name=row.get("contact", str), position=row.get("position", str), email=row.get("email", str),
            phone=row.get("phone", str), is_primary=True,
        )
        for row, party in pairs
    ])
    suppliers = Supplier.objects.bulk_create([
        Supplier(
            party=party, code=row.get("code", str), currency="EUR", lead_time_days=row.get("lead_time_days", int),
            min_order_value=row.values["min_order_value"],
        )
        for row, party in pairs
    ])
    return {supplier.code: supplier for supplier in suppliers}


def _warehouse(code: str) -> list[Location]:
    """The bins of a new warehouse."""
    name, place = SITES[code]
    address = Address.objects.create(kind=Address.Kind.SITE, country="PT", **place)
    warehouse = Warehouse.objects.create(code=code, name=name, address=address, timezone="Europe/Lisbon")
    Location.objects.bulk_create([
        Location(warehouse=warehouse, code=area, name=title, kind=kind, barcode=f"{code}-{area}")
        for area, (title, kind) in AREAS.items()
    ])
    aisles = Location.objects.bulk_create([
        Location(warehouse=warehouse, code=letter, name=f"Aisle {letter}") for letter in AISLES[code]
    ])
    bins: list[Location] = Location.objects.bulk_create([
        Location(
            warehouse=warehouse, parent=aisle, code=f"{aisle.code}-{number:02}", barcode=f"{code}-{aisle.code}-{number:02}",
            pick_sequence=100 * place + number,
        )
        for place, aisle in enumerate(aisles, start=1) for number in range(1, BINS_PER_AISLE + 1)
    ])
    return bins


def _variants(rows: list[Row]) -> list[ProductVariant]:
    categories = _categories(row.get("category", str) for row in rows)
    makers = {
        maker.name: maker for maker in Party.objects.bulk_create([
            Party(name=name, external_ref=f"manufacturer:{slugify(name)}") for name in _distinct(row.get("manufacturer", str) for row in rows)
        ])
    }
    units = {unit.code: unit for unit in UnitOfMeasure.objects.all()}
    products = Product.objects.bulk_create([
        Product(
            name=row.get("name", str), category=categories[row.get("category", str)], manufacturer=makers[row.get("manufacturer", str)],
            base_unit=units[row.get("unit", str)], hs_code=row.get("hs_code", str), country_of_origin=row.get("origin", str),
            external_ref=row.get("sku", str),
        )
        for row in rows
    ])
    variants: list[ProductVariant] = ProductVariant.objects.bulk_create([
        ProductVariant(
            product=product, sku=row.get("sku", str), name=product.name, standard_cost=row.values["cost"],
            weight=row.values["weight"], external_ref=row.get("sku", str),
        )
        for row, product in zip(rows, products, strict=True)
    ])
    return variants


def _categories(paths: Iterable[str]) -> dict[str, Category]:
    """By path, such as Brakes/Brake pads: a tree of two levels."""
    names = [path.split("/") for path in _distinct(paths)]
    tops = {top.name: top for top in Category.objects.bulk_create([_category(None, top) for top in _distinct(top for top, _ in names)])}
    leaves = Category.objects.bulk_create([_category(tops[top], leaf) for top, leaf in names])
    return {f"{leaf.parent.name}/{leaf.name}": leaf for leaf in leaves}


def _category(parent: Category | None, name: str) -> Category:
    return Category(parent=parent, name=name, slug=slugify(name))


def _distinct(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _supplier_products(rows: list[Row], variants: list[ProductVariant], suppliers: dict[str, Supplier]) -> None:
    SupplierProduct.objects.bulk_create([
        SupplierProduct(
            supplier=suppliers[row.get("supplier", str)], variant=variant, supplier_sku=f"{row.get('supplier', str)}-{variant.sku}",
            order_multiple=row.get("multiple", int), last_price=row.values["cost"], is_preferred=True,
        )
        for row, variant in zip(rows, variants, strict=True)
    ])


def _rules(rows: list[Row], variants: list[ProductVariant], suppliers: dict[str, Supplier]) -> None:
    main = Warehouse.objects.get(code=PORTO)
    ReorderRule.objects.bulk_create([
        ReorderRule(
            variant=variant, warehouse=main, min_quantity=row.get("minimum", int), max_quantity=row.get("maximum", int),
            preferred_supplier=suppliers[row.get("supplier", str)],
        )
        for row, variant in zip(rows, variants, strict=True)
    ])
