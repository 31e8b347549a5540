from inventory.admin import assemblies, attributes, catalog, locations, relations, replenishment, stock, suppliers, vehicles

__all__ = ["assemblies", "attributes", "catalog", "locations", "relations", "replenishment", "stock", "suppliers", "vehicles"]
