from core.invariants import Invariant
from inventory.queries.shop_items import CHANGED, FOUND

COLUMNS = "id, product_id, category_id, type, company"

# Of what has changed since, pages read the items.
CATEGORY_ITEM_INVARIANTS = [
    Invariant("the place of an item in its category = its type and brand", f"""
        WITH wanted AS ({FOUND.format(products="inventory_product", chosen="p.category_id IS NOT NULL", apart="")}), kept AS (
            SELECT variant_id AS id, product_id, category_id, type, company
            FROM inventory_categoryitem WHERE organization_id = %(organization)s
        ), changed AS ({CHANGED})
        SELECT format('variant %%s of product %%s: %%s in category %%s, type %%s, company %%s', id, product_id, problem,
                      category_id, type, company)
        FROM (
            SELECT {COLUMNS}, 'is missing' AS problem FROM (SELECT {COLUMNS} FROM wanted EXCEPT ALL SELECT * FROM kept) AS missing
            UNION ALL
            SELECT {COLUMNS}, 'should not be' FROM (SELECT * FROM kept EXCEPT ALL SELECT {COLUMNS} FROM wanted) AS strange
        ) AS found
        WHERE EXISTS (SELECT FROM inventory_categoryitemskept WHERE organization_id = %(organization)s AND is_kept)
            AND product_id NOT IN (SELECT id FROM changed)
        ORDER BY 1
    """),
]
