from inventory.admin import (
    assemblies,
    attributes,
    barcodes,
    catalog,
    locations,
    prices,
    relations,
    replenishment,
    stock,
    suppliers,
    taxes,
    vehicles,
)

__all__ = [
    "assemblies",
    "attributes",
    "barcodes",
    "catalog",
    "locations",
    "prices",
    "relations",
    "replenishment",
    "stock",
    "suppliers",
    "taxes",
    "vehicles",
]
