"""Goods in quarantine, scrap or transit are on hand and not available: each balance knows whether its place is of such a kind."""

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

TRIGGERS = (
    Trigger("inventory_stockitem", "wall_apart", "BEFORE INSERT", LIES_APART.signature),
    Trigger("inventory_location", "wall_apart", "AFTER UPDATE OF kind", LIES_APART.signature),
)
