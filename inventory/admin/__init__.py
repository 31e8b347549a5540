from inventory.admin import (
    adjustments,
    catalog,
    closings,
    locations,
    lots,
    replenishment,
    reservations,
    stock,
    suppliers,
    vehicles,
)

__all__ = [
    "adjustments", "catalog", "closings", "locations", "lots", "replenishment", "reservations", "stock", "suppliers", "vehicles",
]
