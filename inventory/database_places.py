"""What the database says about places. Goods in quarantine, scrap or transit are on hand and not available: each balance knows
whether its place is of such a kind. A place that is part of another is in the same warehouse. And no warehouse is archived with
what lies in it."""

from core.wall_sql import Function, Trigger

LIES_APART = Function("lies_apart()", "trigger", """
BEGIN
    IF TG_TABLE_NAME = 'inventory_location' THEN
        UPDATE inventory_stockitem SET is_apart = NEW.kind NOT IN ('storage', 'receiving', 'shipping')
        WHERE organization_id = NEW.organization_id AND location_id = NEW.id
            AND is_apart <> (NEW.kind NOT IN ('storage', 'receiving', 'shipping'));
        RETURN NULL;
    END IF;
    NEW.is_apart := EXISTS (
        SELECT FROM inventory_location AS l WHERE l.organization_id = NEW.organization_id AND l.id = NEW.location_id
            AND l.kind NOT IN ('storage', 'receiving', 'shipping'));
    RETURN NEW;
END
""")

# The lock is that of the tree: nobody hangs a place below this one meanwhile.
ONE_WAREHOUSE = Function("one_warehouse()", "trigger", """
DECLARE
    there uuid;
BEGIN
    IF NEW.parent_id IS NOT NULL OR TG_OP = 'UPDATE' AND NEW.warehouse_id <> OLD.warehouse_id THEN
        PERFORM pg_advisory_xact_lock(hashtextextended(TG_TABLE_NAME || NEW.organization_id, 0));
    END IF;
    SELECT warehouse_id INTO there FROM inventory_location WHERE organization_id = NEW.organization_id AND id = NEW.parent_id;
    IF there <> NEW.warehouse_id THEN
        RAISE EXCEPTION 'A place is in the same warehouse as the one that it is part of.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'location_in_one_warehouse', COLUMN = 'parent';
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.warehouse_id <> OLD.warehouse_id AND EXISTS (
        SELECT FROM inventory_location
        WHERE organization_id = NEW.organization_id AND parent_id = NEW.id AND warehouse_id <> NEW.warehouse_id
    ) THEN
        RAISE EXCEPTION 'Other places are part of %: take them out of it first.', NEW.code
            USING ERRCODE = 'check_violation', CONSTRAINT = 'location_in_use', HINT = 'conflict';
    END IF;
    RETURN NULL;
END
""")

KEEP_WAREHOUSE = Function("keep_warehouse()", "trigger", """
BEGIN
    IF OLD.archived_at IS NULL AND NEW.archived_at IS NOT NULL AND EXISTS (
        SELECT FROM inventory_stockitem
        WHERE organization_id = NEW.organization_id AND warehouse_id = NEW.id AND (quantity <> 0 OR reserved <> 0)
    ) THEN
        RAISE EXCEPTION 'There is stock in %: move it away first.', NEW.code
            USING ERRCODE = 'check_violation', CONSTRAINT = 'warehouse_in_use', HINT = 'conflict';
    END IF;
    RETURN NEW;
END
""")

FUNCTIONS = (LIES_APART, ONE_WAREHOUSE, KEEP_WAREHOUSE)
TRIGGERS = (
    Trigger("inventory_warehouse", "wall_archive", "BEFORE UPDATE OF archived_at", KEEP_WAREHOUSE.signature),
    Trigger("inventory_location", "wall_warehouse", "AFTER INSERT OR UPDATE OF parent_id, warehouse_id", ONE_WAREHOUSE.signature),
    Trigger("inventory_stockitem", "wall_apart", "BEFORE INSERT", LIES_APART.signature),
    Trigger("inventory_location", "wall_apart", "AFTER UPDATE OF kind", LIES_APART.signature),
)
