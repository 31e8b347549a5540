"""Attributes, bills of materials and relations of the demo's vehicle parts."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from inventory.models import AttributeDefinition, BomLine, Product, ProductRelation, ProductVariant, UnitOfMeasure
from inventory.services.attributes import attributes_set
from inventory.services.units import PIECE

Kind = ProductRelation.Kind

# Code: name, type, code of the unit.
DEFINITIONS: Mapping[str, tuple[str, str, str]] = {
    "diameter": ("Diameter", "measure", "MMT"),
    "voltage": ("Voltage", "measure", "VLT"),
    "capacity": ("Capacity", "measure", "AMH"),
    "power": ("Power", "measure", "WTT"),
    "vented": ("Vented", "boolean", ""),
}
VALUES: Mapping[str, Mapping[str, Any]] = {
    "BD-2101": {"diameter": "280 mm", "vented": True},
    "BD-2102": {"diameter": "300 mm", "vented": True},
    "BD-2103": {"diameter": "253 mm", "vented": False},
    "BA-4001": {"voltage": "12 V", "capacity": "60 Ah"},
    "BA-4002": {"voltage": "12 V", "capacity": "74 Ah"},
    "BA-4003": {"voltage": "12 V", "capacity": "70 Ah"},
    "LB-4301": {"voltage": "12 V", "power": "55 W"},
}
INSPECTION = "SK-9001"  # a kit that no supplier sells
# Kits that are sold by their components, one of them within the other.
SETS: Mapping[str, str] = {"SK-9002": "Rear brake set", "SK-9003": "Large service set"}
COMPONENTS: Mapping[str, Mapping[str, int]] = {
    INSPECTION: {"OF-1001": 1, "AF-1101": 1, "CF-1201": 1}, "TK-6002": {"TB-6001": 1, "WP-6101": 1},
    "SK-9002": {"BP-2003": 1, "BD-2103": 2}, "SK-9003": {"SK-9002": 1, "OF-1001": 1, "SP-3001": 4},
}
RELATIONS = (
    ("BA-4003", Kind.ALTERNATIVE, "BA-4002"), ("BP-2004", Kind.ALTERNATIVE, "BP-2001"),
    ("BP-2001", Kind.ACCESSORY, "BD-2101"),
)  # fmt: skip


def catalog_describe() -> None:
    """Once the parts are there."""
    units = {unit.code: unit for unit in UnitOfMeasure.objects.all()}
    AttributeDefinition.objects.bulk_create([
        AttributeDefinition(code=code, name=name, data_type=kind, unit=units.get(unit), position=place)
        for place, (code, (name, kind, unit)) in enumerate(DEFINITIONS.items())
    ])
    filter_product = Product.objects.get(variants__sku="OF-1001")
    kit = Product.objects.create(name="Inspection kit", category=filter_product.category, base_unit=units[PIECE])
    ProductVariant.objects.create(product=kit, sku=INSPECTION, name=kit.name, is_kit=True)
    sets_create(units[PIECE])
    variants = {variant.sku: variant for variant in ProductVariant.objects.all()}
    for sku, values in VALUES.items():
        attributes_set(target=variants[sku], values=values, replace=True)
    BomLine.objects.bulk_create([
        BomLine(assembly=variants[assembly], component=variants[component], quantity=Decimal(quantity), position=place)
        for assembly, lines in COMPONENTS.items() for place, (component, quantity) in enumerate(lines.items())
    ])
    ProductRelation.objects.bulk_create([
        ProductRelation(from_variant=variants[one], kind=kind, to_variant=variants[other]) for one, kind, other in RELATIONS
    ])


def sets_create(unit: UnitOfMeasure) -> None:
    """They cost what is in them."""
    costs = dict(ProductVariant.objects.values_list("sku", "standard_cost"))
    for sku, name in SETS.items():
        costs[sku] = sum((costs[one] * count for one, count in COMPONENTS[sku].items()), Decimal(0))
        part = Product.objects.get(variants__sku=next(iter(COMPONENTS["SK-9002"])))
        made = Product.objects.create(name=name, category=part.category, base_unit=unit)
        ProductVariant.objects.create(
            product=made, sku=sku, name=name, standard_cost=costs[sku], is_kit=True, sold_by_components=True,
        )
