"""Where goods are costed at standard, a changed standard cost revalues the stock: whatever changed it, in its transaction."""

from core.wall_sql import Function, Trigger

# The organization first, as all who change layers (see costing_methods.py); then the pools, as in a posting.
REVALUE_STANDARD = Function("revalue_standard()", "trigger", """
DECLARE
    method text;
    origin jsonb := COALESCE(NULLIF(current_setting('app.origin', true), ''), '{}')::jsonb;
BEGIN
    IF NEW.standard_cost = OLD.standard_cost THEN
        RETURN NULL;
    END IF;
    SELECT costing_method INTO method FROM accounts_organization WHERE id = NEW.organization_id FOR KEY SHARE;
    IF method <> 'standard' THEN
        RETURN NULL;
    END IF;
    WITH pool AS (
        SELECT id, warehouse_id, value, round(remaining * NEW.standard_cost, 6) AS revalued FROM inventory_costlayer
        WHERE organization_id = NEW.organization_id AND variant_id = NEW.id AND kind = 'pool'
        ORDER BY warehouse_id FOR NO KEY UPDATE
    ), changed AS (
        UPDATE inventory_costlayer AS l SET value = pool.revalued, unit_cost = NEW.standard_cost
        FROM pool WHERE l.organization_id = NEW.organization_id AND l.id = pool.id
    )
    INSERT INTO inventory_valueentry (
        id, organization_id, kind, variant_id, warehouse_id, layer_id, quantity, value, note, document_type, occurred_at,
        actor_id, api_key_id
    )
    SELECT uuid7(), NEW.organization_id, 'revaluation', NEW.id, pool.warehouse_id, pool.id, 0, pool.revalued - pool.value,
           format('Standard cost: %s before, %s now', trim_scale(OLD.standard_cost), trim_scale(NEW.standard_cost)), '',
           statement_timestamp(),
           (origin ->> 'actor_id')::uuid, (origin ->> 'api_key_id')::uuid
    FROM pool WHERE pool.revalued <> pool.value;
    RETURN NULL;
END
""")

TRIGGERS = (
    Trigger("inventory_productvariant", "wall_standard_cost", "AFTER UPDATE OF standard_cost", "revalue_standard()"),
)
