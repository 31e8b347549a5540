"""How a product is tracked stays while its goods are in stock: the database refuses, whoever asks.

Otherwise pieces without a lot would lie beside lots, and nobody could say what is what.
"""

from core.wall_sql import Function, Trigger

# The lock is that of inventory.services.locks: no posting is under way while this looks.
KEEP_TRACKING = Function("keep_tracking()", "trigger", """
DECLARE
    was text;
    becomes text;
    places bigint;
BEGIN
    IF TG_TABLE_NAME = 'inventory_product' THEN
        was := OLD.tracking;
        becomes := NEW.tracking;
    ELSE
        SELECT tracking INTO was FROM inventory_product WHERE organization_id = OLD.organization_id AND id = OLD.product_id;
        SELECT tracking INTO becomes FROM inventory_product WHERE organization_id = NEW.organization_id AND id = NEW.product_id;
    END IF;
    IF was IS NOT DISTINCT FROM becomes THEN
        RETURN NEW;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('stock grounds ' || OLD.organization_id, 0));
    IF TG_TABLE_NAME = 'inventory_product' THEN
        SELECT count(*) INTO places FROM inventory_productvariant AS v
        JOIN inventory_stockitem AS s ON s.organization_id = v.organization_id AND s.variant_id = v.id
        WHERE v.organization_id = OLD.organization_id AND v.product_id = OLD.id AND s.quantity <> 0;
    ELSE
        SELECT count(*) INTO places FROM inventory_stockitem AS s
        WHERE s.organization_id = OLD.organization_id AND s.variant_id = OLD.id AND s.quantity <> 0;
    END IF;
    IF places > 0 THEN
        RAISE EXCEPTION 'These goods lie in % places and are tracked by %: adjust them to nothing, change the tracking to %,'
                        ' and receive them again.', places, was, becomes
            USING ERRCODE = 'check_violation', CONSTRAINT = 'tracking_in_use', HINT = 'conflict';
    END IF;
    UPDATE inventory_stockitem AS s SET is_serial = becomes = 'serial'
    FROM inventory_productvariant AS v
    WHERE v.organization_id = OLD.organization_id AND s.organization_id = v.organization_id AND s.variant_id = v.id
        AND s.is_serial <> (becomes = 'serial')
        AND CASE TG_TABLE_NAME WHEN 'inventory_product' THEN v.product_id = OLD.id ELSE v.id = OLD.id END;
    RETURN NEW;
END
""")

TRIGGERS = (
    Trigger("inventory_product", "wall_tracking", "BEFORE UPDATE OF tracking", KEEP_TRACKING.signature),
    Trigger("inventory_productvariant", "wall_tracking", "BEFORE UPDATE OF product_id", KEEP_TRACKING.signature),
)
