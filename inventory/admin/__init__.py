from inventory.admin import catalog, locations, prices, replenishment, stock, suppliers, taxes, vehicles

__all__ = ["catalog", "locations", "prices", "replenishment", "stock", "suppliers", "taxes", "vehicles"]
