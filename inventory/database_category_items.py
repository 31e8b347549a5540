"""The database notes of which items the place in `/items` may have changed, whatever changed it: a page reads those anew until
their places are made again. See ADR 72."""

from core.wall_sql import Function, Trigger

# Once for a transaction, whose number makes its row its own: nobody waits for anybody.
NOTE = """
    INSERT INTO inventory_categoryitemchange (id, organization_id, subject_id, transaction)
    SELECT uuid7(), COALESCE(NEW.organization_id, OLD.organization_id), changed.id, pg_current_xact_id()::text::bigint
    FROM (VALUES {0}) AS changed (id) WHERE changed.id IS NOT NULL ON CONFLICT DO NOTHING;
"""
OF_PRODUCT = Function("note_category_item_of_product()", "trigger", f"""
BEGIN
    IF (OLD.category_id, OLD.manufacturer_id, OLD.archived_at) IS DISTINCT FROM
       (NEW.category_id, NEW.manufacturer_id, NEW.archived_at) THEN
        {NOTE.format("(NEW.id)")}
    END IF;
    RETURN NULL;
END
""")
OF_VARIANT = Function("note_category_item_of_variant()", "trigger", f"""
BEGIN
    IF (OLD.product_id, OLD.archived_at) IS DISTINCT FROM (NEW.product_id, NEW.archived_at) THEN
        {NOTE.format("(OLD.product_id), (NEW.product_id)")}
    END IF;
    RETURN NULL;
END
""")
# Of the other attributes none has a part in the order.
OF_VALUE = Function("note_category_item_of_value()", "trigger", f"""
BEGIN
    IF EXISTS (
        SELECT FROM inventory_attributedefinition AS d
        WHERE d.organization_id = COALESCE(NEW.organization_id, OLD.organization_id)
            AND d.id IN (OLD.definition_id, NEW.definition_id) AND d.code = 'type'
    ) THEN
        {NOTE.format("(OLD.product_id), (NEW.product_id)")}
    END IF;
    RETURN NULL;
END
""")
OF_NAME = Function("note_category_items_of_name()", "trigger", f"""
BEGIN
    IF to_jsonb(OLD) -> TG_ARGV[0] IS DISTINCT FROM to_jsonb(NEW) -> TG_ARGV[0] THEN
        {NOTE.format("(NEW.id)")}
    END IF;
    RETURN NULL;
END
""")
FUNCTIONS = (OF_PRODUCT, OF_VARIANT, OF_VALUE, OF_NAME)
TRIGGERS = (
    Trigger(
        "inventory_product", "note_category_item", "AFTER UPDATE OF category_id, manufacturer_id, archived_at",
        OF_PRODUCT.signature,
    ),
    Trigger(
        "inventory_productvariant", "note_category_item", "AFTER INSERT OR DELETE OR UPDATE OF product_id, archived_at",
        OF_VARIANT.signature,
    ),
    Trigger("inventory_productattributevalue", "note_category_item", "AFTER INSERT OR DELETE OR UPDATE", OF_VALUE.signature),
    Trigger("accounts_party", "note_category_items", "AFTER UPDATE OF name", "note_category_items_of_name('name')"),
    Trigger(
        "inventory_attributedefinition", "note_category_items", "AFTER UPDATE OF code", "note_category_items_of_name('code')",
    ),
)
