"""Categories, products, their suppliers and reorder rules."""

from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

from django.utils.text import slugify

from core.dirty_csv import Row
from inventory.models import (
    Category,
    Location,
    Product,
    ProductVariant,
    ReorderRule,
    Supplier,
    SupplierProduct,
    UnitOfMeasure,
)
from inventory.northwind_tables import CATEGORIES, PRODUCTS
from inventory.services.levels import levels_refresh
from inventory.services.northwind_partners import supplier_ref
from inventory.services.northwind_run import Run
from inventory.services.units import PIECE
from inventory.services.upsert import Draft

PRODUCT_COLUMNS = {
    "external_ref": "productID", "name": "productName", "description": "quantityPerUnit", "standard_cost": "unitPrice",
}
AMOUNTS = ("unitPrice", "unitsInStock", "unitsOnOrder", "reorderLevel")
MOST = 10**12  # what a quantity's columns hold, with room to add


class Item(NamedTuple):
    row: Row
    variant_id: UUID

    @property
    def number(self) -> int:
        return self.row.get("productID", int)


def import_products(run: Run, location: Location) -> list[Item]:
    """The products of the file that are in the organization now, whose stock is kept at `location`."""
    _categories(run)
    rows = [row for row in run.rows(PRODUCTS) if _is_possible(run, row)]
    items = _variants(run, rows, _products(run, rows))
    _supplier_products(run, items)
    return items


def import_rules(run: Run, items: list[Item], location: Location) -> None:
    """After the stock: rules are locked after stock items."""
    drafts = [
        Draft(
            item.row.line, {"variant_id": item.variant_id, "min_quantity": item.row.get("reorderLevel", int)},
            starts={"warehouse_id": location.warehouse_id, "basis": ReorderRule.Basis.ON_HAND},
        )
        for item in items
    ]
    variants = [item.variant_id for item in items]
    existing = ReorderRule.objects.filter(variant__in=variants, warehouse=location.warehouse_id)
    columns = {"min_quantity": "reorderLevel"}
    ids = run.upsert("reorder rules", PRODUCTS, existing, drafts, key=("variant_id",), columns=columns)
    levels_refresh(ids.values())


def _categories(run: Run) -> None:
    refs = {row.line: category_ref(row.get("categoryID", int)) for row in run.rows(CATEGORIES)}
    others = Category.objects.filter(parent=None).exclude(external_ref__in=refs.values())
    taken = set(others.values_list("slug", flat=True))
    drafts = []
    for row in run.rows(CATEGORIES):
        name = row.get("categoryName", str)
        drafts.append(Draft(
            row.line, {"external_ref": refs[row.line], "name": name, "description": row.find("description", str) or ""},
            starts={"slug": _free_slug(name, row.get("categoryID", int), taken)},
        ))
    existing = Category.objects.filter(external_ref__in=refs.values())
    columns = {"name": "categoryName", "external_ref": "categoryID"}
    run.upsert("categories", CATEGORIES, existing, drafts, columns=columns)


def category_ref(number: int) -> str:
    return f"category:{number}"


def product_ref(number: int) -> str:
    return f"product:{number}"


def sku_of(number: int) -> str:
    return f"NW-{number:04}"


def _free_slug(name: str, number: int, taken: set[str]) -> str:
    slug = slugify(name.replace("/", " "))
    if not slug or slug in taken:
        slug = f"{slug or 'category'}-{number}"
    taken.add(slug)
    return slug


def _is_possible(run: Run, row: Row) -> bool:
    for column in AMOUNTS:
        amount: Any = row.values[column]
        if not 0 <= amount < MOST:
            reason = "less than nothing" if amount < 0 else "too much"
            run.leave_out(PRODUCTS, row.line, column, f"{amount} is {reason}")
            return False
    return True


def _products(run: Run, rows: list[Row]) -> dict[int, UUID]:
    """The ids by line."""
    categories = _known(Category, (category_ref(row.get("categoryID", int)) for row in rows))
    unit = UnitOfMeasure.objects.get(code=PIECE)
    drafts = []
    for row in rows:
        says: dict[str, Any] = {
            "external_ref": product_ref(row.get("productID", int)), "name": row.get("productName", str),
            "description": row.find("quantityPerUnit", str) or "",
            "status": Product.Status.DISCONTINUED if row.values["discontinued"] else Product.Status.ACTIVE,
        }
        if category := categories.get(category_ref(row.get("categoryID", int))):
            says["category_id"] = category
        else:
            run.leave_out(PRODUCTS, row.line, "categoryID", _missing("category", row.get("categoryID", int)))
        drafts.append(Draft(row.line, says, starts={"base_unit_id": unit.pk}))
    existing = Product.objects.filter(external_ref__in=[draft.says["external_ref"] for draft in drafts])
    return run.upsert("products", PRODUCTS, existing, drafts, columns=PRODUCT_COLUMNS)


def _variants(run: Run, rows: list[Row], products: dict[int, UUID]) -> list[Item]:
    drafts = []
    for row in rows:
        if row.line in products:
            number = row.get("productID", int)
            drafts.append(Draft(row.line, {
                "external_ref": product_ref(number), "product_id": products[row.line],
                "name": row.get("productName", str), "standard_cost": row.values["unitPrice"],
            }, starts={"sku": sku_of(number)}))
    existing = ProductVariant.objects.filter(external_ref__in=[draft.says["external_ref"] for draft in drafts])
    ids = run.upsert("variants", PRODUCTS, existing, drafts, columns=PRODUCT_COLUMNS)
    return [Item(row, ids[row.line]) for row in rows if row.line in ids]


def _supplier_products(run: Run, items: list[Item]) -> None:
    """The supplier's own number for the article is unknown: ours stands in for it, and finds the row again."""
    suppliers = _known(Supplier, (supplier_ref(item.row.get("supplierID", int)) for item in items))
    variants = [item.variant_id for item in items]
    chosen = SupplierProduct.objects.filter(variant__in=variants, is_preferred=True)
    preferred = set(chosen.values_list("variant_id", flat=True))
    drafts = []
    for item in items:
        supplier = suppliers.get(supplier_ref(item.row.get("supplierID", int)))
        if supplier is None:
            run.leave_out(PRODUCTS, item.row.line, "supplierID", _missing("supplier", item.row.get("supplierID", int)))
            continue
        drafts.append(Draft(
            item.row.line,
            {"variant_id": item.variant_id, "supplier_sku": sku_of(item.number), "supplier_id": supplier},
            starts={"is_preferred": item.variant_id not in preferred},
        ))
    existing = SupplierProduct.objects.filter(variant__in=variants)
    run.upsert("supplier products", PRODUCTS, existing, drafts, key=("variant_id", "supplier_sku"), columns={})


def _known(model: type[Category] | type[Supplier], refs: Iterable[str]) -> dict[str, UUID]:
    """Of this import or an earlier one."""
    return dict(model.objects.filter(external_ref__in=set(refs)).values_list("external_ref", "id"))


def _missing(what: str, number: int) -> str:
    return f"there is no {what} {number}, so the product goes in without one"
