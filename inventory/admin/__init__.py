from inventory.admin import catalog, locations, replenishment, stock, suppliers, valuation, vehicles

__all__ = ["catalog", "locations", "replenishment", "stock", "suppliers", "valuation", "vehicles"]
