from inventory.admin import catalog, locations, replenishment, stock, suppliers, vehicles

__all__ = ["catalog", "locations", "replenishment", "stock", "suppliers", "vehicles"]
