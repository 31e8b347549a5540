from inventory.admin import barcodes, catalog, locations, replenishment, stock, suppliers, vehicles

__all__ = ["barcodes", "catalog", "locations", "replenishment", "stock", "suppliers", "vehicles"]
