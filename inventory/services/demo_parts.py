"""The catalog, the partners and the warehouses of the demo's vehicle-parts company."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from django.utils.text import slugify

from accounts.models import Address, Contact, Party
from core.csv_kinds import DECIMAL, FLAG, INTEGER, TEXT, WORD
from core.dirty_csv import Column, UnreadableTable, read_table
from inventory.gs1.digits import completed
from inventory.models import (
    Category,
    Location,
    Product,
    ProductBarcode,
    ProductVariant,
    ReorderRule,
    Supplier,
    SupplierProduct,
    UnitOfMeasure,
    Warehouse,
)
from inventory.services.basics import reasons_create
from inventory.services.units import units_create

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

FIGURES = ("supplier", "cost", "opening", "minimum", "maximum", "multiple", "weekly", "restocked")

type Values = dict[str, Any]

PORTO, LISBON = "PORTO", "LISBOA"
SITES = {
    PORTO: ("Porto, main warehouse", ("Rua de Costa Cabral 1480", "Porto", "4200-219")),
    LISBON: ("Lisbon, branch", ("Avenida Infante Dom Henrique 306", "Lisboa", "1950-421")),
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
    cost: Decimal
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
    _barcodes(variants)
    _supplier_products(rows, variants, suppliers)
    _rules(rows, variants, suppliers)
    return [
        Part(
            variant_id=variant.pk, bin_id=bins[PORTO][place % len(bins[PORTO])].pk,
            branch_bin_id=bins[LISBON][place % len(bins[LISBON])].pk, **{name: row[name] for name in FIGURES},
        )
        for place, (row, variant) in enumerate(zip(rows, variants, strict=True))
    ]


def _read(path: Path, columns: tuple[Column, ...]) -> list[Values]:
    reading = read_table(path, columns)
    if reading.problems:
        raise UnreadableTable(f"The demo's data is damaged: {reading.problems[0]}")
    return [row.values for row in reading.rows]


def _suppliers(rows: list[Values]) -> dict[str, Supplier]:
    parties = Party.objects.bulk_create([
        Party(name=row["name"], external_ref=f"supplier:{row['code']}", payment_terms_days=30)
        for row in rows
    ])
    pairs = list(zip(rows, parties, strict=True))
    Address.objects.bulk_create([
        Address(
            party=party, street1=row["street"], city=row["city"], postal_code=row["postal_code"],
            country=row["country"], is_default=True,
        )
        for row, party in pairs
    ])
    Contact.objects.bulk_create([
        Contact(
            party=party, name=row["contact"], position=row["position"], email=row["email"],
            phone=row["phone"], is_primary=True,
        )
        for row, party in pairs
    ])
    suppliers = Supplier.objects.bulk_create([
        Supplier(
            party=party, code=row["code"], currency="EUR", lead_time_days=row["lead_time_days"],
            min_order_value=row["min_order_value"],
        )
        for row, party in pairs
    ])
    return {supplier.code: supplier for supplier in suppliers}


def _warehouse(code: str) -> list[Location]:
    """The bins of a new warehouse."""
    name, (street, city, postal_code) = SITES[code]
    address = Address.objects.create(
        kind=Address.Kind.SITE, street1=street, city=city, postal_code=postal_code, country="PT",
    )
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
            warehouse=warehouse, parent=aisle, code=f"{aisle.code}-{number:02}",
            barcode=f"{code}-{aisle.code}-{number:02}", pick_sequence=100 * place + number,
        )
        for place, aisle in enumerate(aisles, start=1) for number in range(1, BINS_PER_AISLE + 1)
    ])
    return bins


def _variants(rows: list[Values]) -> list[ProductVariant]:
    categories = _categories(row["category"] for row in rows)
    makers = {maker.name: maker for maker in Party.objects.bulk_create([
        Party(name=name, external_ref=f"manufacturer:{slugify(name)}")
        for name in _distinct(row["manufacturer"] for row in rows)
    ])}
    units = {unit.code: unit for unit in UnitOfMeasure.objects.all()}
    products = Product.objects.bulk_create([
        Product(
            name=row["name"], category=categories[row["category"]], manufacturer=makers[row["manufacturer"]],
            base_unit=units[row["unit"]], hs_code=row["hs_code"], country_of_origin=row["origin"],
            external_ref=row["sku"],
        )
        for row in rows
    ])
    variants: list[ProductVariant] = ProductVariant.objects.bulk_create([
        ProductVariant(
            product=product, sku=row["sku"], name=product.name, standard_cost=row["cost"],
            weight=row["weight"], external_ref=row["sku"],
        )
        for row, product in zip(rows, products, strict=True)
    ])
    return variants


def _categories(paths: Iterable[str]) -> dict[str, Category]:
    """By path, such as Brakes/Brake pads: a tree of two levels."""
    names = [path.split("/") for path in _distinct(paths)]
    roots = Category.objects.bulk_create([_category(None, top) for top in _distinct(top for top, _ in names)])
    tops = {root.name: root for root in roots}
    leaves = Category.objects.bulk_create([_category(tops[top], leaf) for top, leaf in names])
    return {f"{leaf.parent.name}/{leaf.name}": leaf for leaf in leaves}


def _category(parent: Category | None, name: str) -> Category:
    return Category(parent=parent, name=name, slug=slugify(name))


def _distinct(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _barcodes(variants: list[ProductVariant]) -> None:
    """Of the numbers that a company may use within its own walls: no goods of the world have them."""
    ProductBarcode.objects.bulk_create([
        ProductBarcode(variant=variant, value=completed(f"20{place:010}")) for place, variant in enumerate(variants, 1)
    ])


def _supplier_products(rows: list[Values], variants: list[ProductVariant], suppliers: dict[str, Supplier]) -> None:
    SupplierProduct.objects.bulk_create([
        SupplierProduct(
            supplier=suppliers[row["supplier"]], variant=variant, supplier_sku=f"{row['supplier']}-{variant.sku}",
            order_multiple=row["multiple"], last_price=row["cost"], is_preferred=True,
        )
        for row, variant in zip(rows, variants, strict=True)
    ])


def _rules(rows: list[Values], variants: list[ProductVariant], suppliers: dict[str, Supplier]) -> None:
    main = Warehouse.objects.get(code=PORTO)
    ReorderRule.objects.bulk_create([
        ReorderRule(
            variant=variant, warehouse=main, min_quantity=row["minimum"], max_quantity=row["maximum"],
            preferred_supplier=suppliers[row["supplier"]],
        )
        for row, variant in zip(rows, variants, strict=True)
    ])
