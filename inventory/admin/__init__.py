from inventory.admin import (
    assemblies,
    attributes,
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
