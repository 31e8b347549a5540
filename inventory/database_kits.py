"""A kit that is sold by its components has no stock of its own: what is available of it is what these are enough for."""

from core.wall_sql import Function, Trigger

# The lock is that of inventory.services.locks: no posting is under way while this looks.
KEEP_KIT = Function("keep_kit()", "trigger", """
BEGIN
    IF NOT NEW.sold_by_components OR OLD.sold_by_components THEN
        RETURN NEW;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('stock grounds ' || OLD.organization_id, 0));
    IF EXISTS (SELECT FROM inventory_stockitem
               WHERE organization_id = OLD.organization_id AND variant_id = OLD.id AND (quantity <> 0 OR reserved <> 0)) THEN
        RAISE EXCEPTION 'There is stock of %: sell it, or take it apart, before it is sold by its components.', OLD.sku
            USING ERRCODE = 'check_violation', CONSTRAINT = 'kit_in_stock', COLUMN = 'sold_by_components', HINT = 'conflict';
    END IF;
    IF EXISTS (SELECT FROM inventory_reservation
               WHERE organization_id = OLD.organization_id AND variant_id = OLD.id AND status = 'active') THEN
        RAISE EXCEPTION 'Somebody waits for %: fill or release what is reserved, before it is sold by its components.', OLD.sku
            USING ERRCODE = 'check_violation', CONSTRAINT = 'kit_in_stock', COLUMN = 'sold_by_components', HINT = 'conflict';
    END IF;
    RETURN NEW;
END
""")

# In the warehouses, or in all: in each, the least of what its components are enough for, in whole kits. The same way down as in
# inventory/queries/kits.py; a kit in which something has no bill is nowhere available.
KIT_AVAILABLE = Function("kit_available(uuid,uuid,uuid[])", "numeric", """
BEGIN
    RETURN (
        WITH RECURSIVE down AS (
            SELECT kit AS variant_id, 1::numeric AS quantity, true AS opens
            UNION ALL
            SELECT b.component_id, down.quantity * b.quantity, c.sold_by_components
            FROM down
            JOIN inventory_bomline AS b ON b.organization_id = organization AND b.assembly_id = down.variant_id
                AND NOT b.is_optional
            JOIN inventory_productvariant AS c ON c.organization_id = organization AND c.id = b.component_id
            WHERE down.opens
        ), capped AS MATERIALIZED (SELECT * FROM down LIMIT 20001), parts AS (
            SELECT d.variant_id, ceil(sum(d.quantity) * 1000000) / 1000000 AS quantity, count(*) OVER () AS many
            FROM capped AS d
            WHERE NOT d.opens OR NOT EXISTS (
                SELECT FROM inventory_bomline AS b WHERE b.organization_id = organization AND b.assembly_id = d.variant_id
                    AND NOT b.is_optional)
            GROUP BY d.variant_id
        ), have AS (
            SELECT p.variant_id, p.quantity, p.many, s.warehouse_id, sum(s.available) AS available
            FROM parts AS p
            JOIN inventory_stockitem AS s ON s.organization_id = organization AND s.variant_id = p.variant_id
            WHERE NOT s.is_apart AND (warehouses IS NULL OR s.warehouse_id = ANY (warehouses))
            GROUP BY p.variant_id, p.quantity, p.many, s.warehouse_id
        ), kits AS (
            SELECT GREATEST(min(div(h.available, h.quantity)), 0) AS available
            FROM have AS h GROUP BY h.warehouse_id, h.many HAVING count(*) = h.many
        )
        SELECT COALESCE(sum(k.available), 0) FROM kits AS k
    );
END
""", callers=("app", "worker"), arguments="organization uuid, kit uuid, warehouses uuid[]")

FUNCTIONS = (KEEP_KIT, KIT_AVAILABLE)
TRIGGERS = (Trigger("inventory_productvariant", "wall_kit", "BEFORE UPDATE OF sold_by_components", KEEP_KIT.signature),)
