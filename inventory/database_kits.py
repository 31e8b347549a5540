"""A kit that is sold by its components has no stock of its own: what is available of it is what these are enough for, and nothing
that buys, moves or counts goods names it.
"""

from core.wall_sql import Function, Trigger

# The lock is that of inventory.services.locks: no posting is under way while this looks.
KEEP_KIT = Function("keep_kit()", "trigger", """
DECLARE
    found text;
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
    SELECT string_agg(w.words, ', ') INTO found FROM (
        SELECT format('%s %s', a.what, string_agg(a.name, ', ' ORDER BY a.name)) AS words
        FROM (
            SELECT 'transfer order' AS what, o.number AS name
            FROM inventory_transferorderline AS l
            JOIN inventory_transferorder AS o ON o.organization_id = l.organization_id AND o.id = l.order_id
            WHERE l.organization_id = OLD.organization_id AND l.variant_id = OLD.id
                AND o.status NOT IN ('completed', 'cancelled')
            UNION
            SELECT 'an unfinished stock count in', w.code
            FROM inventory_stockcountline AS l
            JOIN inventory_stockcount AS c ON c.organization_id = l.organization_id AND c.id = l.count_id
            JOIN inventory_warehouse AS w ON w.organization_id = c.organization_id AND w.id = c.warehouse_id
            WHERE l.organization_id = OLD.organization_id AND l.variant_id = OLD.id AND c.status IN ('open', 'pending')
            UNION
            SELECT 'an adjustment that waits for approval in', w.code
            FROM inventory_stockadjustmentline AS l
            JOIN inventory_stockadjustment AS a ON a.organization_id = l.organization_id AND a.id = l.adjustment_id
            JOIN inventory_warehouse AS w ON w.organization_id = a.organization_id AND w.id = a.warehouse_id
            WHERE l.organization_id = OLD.organization_id AND l.variant_id = OLD.id AND a.status = 'pending'
            UNION
            SELECT 'an active reorder rule in', w.code
            FROM inventory_reorderrule AS r
            JOIN inventory_warehouse AS w ON w.organization_id = r.organization_id AND w.id = r.warehouse_id
            WHERE r.organization_id = OLD.organization_id AND r.variant_id = OLD.id AND r.is_active
            UNION
            SELECT 'an unfinished reorder task in', w.code
            FROM inventory_reordertask AS t
            JOIN inventory_warehouse AS w ON w.organization_id = t.organization_id AND w.id = t.warehouse_id
            WHERE t.organization_id = OLD.organization_id AND t.variant_id = OLD.id
                AND t.status IN ('open', 'ordered', 'snoozed')
            UNION
            SELECT 'an item of supplier', s.code
            FROM inventory_supplierproduct AS i
            JOIN inventory_supplier AS s ON s.organization_id = i.organization_id AND s.id = i.supplier_id
            WHERE i.organization_id = OLD.organization_id AND i.variant_id = OLD.id
        ) AS a GROUP BY a.what ORDER BY a.what
    ) AS w;
    IF found IS NOT NULL THEN
        RAISE EXCEPTION 'In the way: %. Finish or remove it before % is sold by its components.', left(found, 300), OLD.sku
            USING ERRCODE = 'check_violation', CONSTRAINT = 'kit_in_use', COLUMN = 'sold_by_components', HINT = 'conflict';
    END IF;
    RETURN NEW;
END
""")

# Shares the lock that the one above takes alone: what is written while it looks waits, and then sees the kit as it is.
REFUSING = """
DECLARE
    kit text;
BEGIN
    IF {skip} THEN
        RETURN NEW;
    END IF;
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('stock grounds ' || NEW.organization_id, 0));
    SELECT sku INTO kit FROM inventory_productvariant
    WHERE organization_id = NEW.organization_id AND id = NEW.variant_id AND sold_by_components;
    IF kit IS NOT NULL THEN
        RAISE EXCEPTION '% is sold by its components, so there is no stock of it: buy, move and count these.', kit
            USING ERRCODE = 'check_violation', CONSTRAINT = 'sold_by_components', COLUMN = 'variant', HINT = 'named';
    END IF;
    RETURN NEW;
END
"""
SAME = "TG_OP = 'UPDATE' AND OLD.variant_id = NEW.variant_id"
REFUSE_KIT = Function("refuse_kit()", "trigger", REFUSING.format(skip=SAME))
# A rule that is off may stay.
REFUSE_KIT_RULE = Function("refuse_kit_rule()", "trigger", REFUSING.format(skip=f"NOT NEW.is_active OR OLD.is_active AND {SAME}"))
# A sheet is opened of what is in stock, where no such kit is.
REFUSE_KIT_FOUND = Function("refuse_kit_found()", "trigger", REFUSING.format(skip=f"NOT NEW.is_found OR {SAME}"))

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

FUNCTIONS = (KEEP_KIT, KIT_AVAILABLE, REFUSE_KIT, REFUSE_KIT_RULE, REFUSE_KIT_FOUND)
NAMED = "BEFORE INSERT OR UPDATE OF variant_id"
TRIGGERS = (
    Trigger("inventory_productvariant", "wall_kit", "BEFORE UPDATE OF sold_by_components", KEEP_KIT.signature),
    Trigger("inventory_reorderrule", "wall_kit", "BEFORE INSERT OR UPDATE OF variant_id, is_active", REFUSE_KIT_RULE.signature),
    Trigger("inventory_stockadjustmentline", "wall_kit", NAMED, REFUSE_KIT.signature),
    Trigger("inventory_stockcountline", "wall_kit", NAMED, REFUSE_KIT_FOUND.signature),
    Trigger("inventory_supplierproduct", "wall_kit", NAMED, REFUSE_KIT.signature),
    Trigger("inventory_transferorderline", "wall_kit", NAMED, REFUSE_KIT.signature),
)
