"""Tax rates of one category and place never overlap."""

from core.wall_sql import Function, Trigger

# No exclusion constraint: one over uuid and text needs an extension, and two writers who meet in one wait for each other
# until one of them is shot. Who writes rates of an organization waits here instead, and each statement of a function
# looks anew: the second sees what the first one committed. One lock for all its rates, so that nobody can deadlock.
KEEP_RATES_APART = Function("keep_rates_apart()", "trigger", """
DECLARE
    other inventory_taxrate;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('inventory_taxrate' || NEW.organization_id, 0));
    SELECT * INTO other FROM inventory_taxrate AS r
    WHERE r.organization_id = NEW.organization_id AND r.tax_category_id = NEW.tax_category_id AND r.id <> NEW.id
        AND r.country = NEW.country AND r.region_key = NEW.region_key
        AND r.valid_from <= COALESCE(NEW.valid_to, 'infinity') AND COALESCE(r.valid_to, 'infinity') >= NEW.valid_from
    ORDER BY r.valid_from LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'This category has a rate there from % %: end that one first, or begin after it.', other.valid_from,
            CASE WHEN other.valid_to IS NULL THEN 'on' ELSE format('to %s', other.valid_to) END
            USING ERRCODE = 'check_violation', CONSTRAINT = 'tax_rates_overlap', COLUMN = 'valid_from';
    END IF;
    RETURN NULL;
END
""")

FUNCTIONS = (KEEP_RATES_APART,)
TRIGGERS = (Trigger("inventory_taxrate", "wall_apart", "AFTER INSERT OR UPDATE", KEEP_RATES_APART.signature),)
