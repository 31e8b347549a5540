"""What the database itself refuses of orders."""

from core.wall_sql import Function, Trigger

# The lines of an invoice that is issued stay as they are, and none is added. The lock waits for whoever issues it now.
KEEP_ISSUED = Function("keep_issued_items()", "trigger", """
DECLARE
    found text;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        SELECT status INTO found FROM orders_invoice
        WHERE organization_id = OLD.organization_id AND id = OLD.invoice_id FOR SHARE;
    END IF;
    IF TG_OP <> 'DELETE' AND found IS DISTINCT FROM 'issued' THEN
        SELECT status INTO found FROM orders_invoice
        WHERE organization_id = NEW.organization_id AND id = NEW.invoice_id FOR SHARE;
    END IF;
    IF found = 'issued' THEN
        RAISE EXCEPTION 'The lines of an issued invoice stay as they are: make a credit note.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'issued', HINT = 'conflict';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END
""")
# An order that is placed keeps the promotions that it has claimed, so what they take off, and of what, stays as it was.
KEEP_TERMS = Function("keep_promotion_terms()", "trigger", """
DECLARE
    found boolean;
BEGIN
    IF TG_TABLE_NAME = 'orders_promotion' THEN
        found := OLD.used_count > 0
            AND (OLD.effect, OLD.percent, OLD.amount, OLD.buy_quantity, OLD.free_quantity, OLD.currency, OLD.min_total,
                 OLD.shipping_method_id, OLD.priority)
            IS DISTINCT FROM (NEW.effect, NEW.percent, NEW.amount, NEW.buy_quantity, NEW.free_quantity, NEW.currency,
                              NEW.min_total, NEW.shipping_method_id, NEW.priority);
    ELSE
        SELECT bool_or(used_count > 0) INTO found FROM (
            SELECT used_count FROM orders_promotion
            WHERE organization_id = COALESCE(NEW.organization_id, OLD.organization_id)
                AND id IN (OLD.promotion_id, NEW.promotion_id)
            FOR SHARE
        ) AS p;
    END IF;
    IF found THEN
        RAISE EXCEPTION 'Orders have used this promotion, so its terms stay as they are: end it, and make another.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'used', HINT = 'conflict';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END
""")
# The line of a kit that is sold by its components has as many as are whole, and of what came back the part of its price.
FOLLOW_COMPONENTS = Function("follow_components()", "trigger", """
BEGIN
    IF NEW.kit_id IS NULL THEN
        RETURN NULL;
    END IF;
    UPDATE orders_salesorderitem AS k
    SET allocated_quantity = c.allocated, picked_quantity = c.picked, shipped_quantity = c.shipped,
        returned_quantity = LEAST(c.returned, c.shipped)
    FROM (
        SELECT min(div(allocated_quantity, per_kit)) AS allocated, min(div(picked_quantity, per_kit)) AS picked,
               min(div(shipped_quantity, per_kit)) AS shipped,
               round(sum(returned_quantity / per_kit * kit_share), 6) AS returned
        FROM orders_salesorderitem
        WHERE organization_id = NEW.organization_id AND order_id = NEW.order_id AND kit_id = NEW.kit_id
    ) AS c
    WHERE k.organization_id = NEW.organization_id AND k.id = NEW.kit_id
        AND (k.allocated_quantity, k.picked_quantity, k.shipped_quantity, k.returned_quantity)
            IS DISTINCT FROM (c.allocated, c.picked, c.shipped, LEAST(c.returned, c.shipped));
    RETURN NULL;
END
""")
# As keep_kit() does for the documents of the inventory: it comes first, and its lock is held.
KEEP_KIT_BOUGHT = Function("keep_kit_bought()", "trigger", """
DECLARE
    found text;
BEGIN
    IF NOT NEW.sold_by_components OR OLD.sold_by_components THEN
        RETURN NEW;
    END IF;
    SELECT string_agg(DISTINCT o.number, ', ' ORDER BY o.number) INTO found
    FROM orders_purchaseorderitem AS l
    JOIN orders_purchaseorder AS o ON o.organization_id = l.organization_id AND o.id = l.order_id
    WHERE l.organization_id = OLD.organization_id AND l.variant_id = OLD.id AND l.received_quantity < l.quantity
        AND o.status IN ('draft', 'pending_approval', 'approved', 'sent', 'partially_received');
    IF found IS NOT NULL THEN
        RAISE EXCEPTION 'In the way: purchase order %. Receive, close or change it before % is sold by its components.',
            left(found, 300), OLD.sku
            USING ERRCODE = 'check_violation', CONSTRAINT = 'kit_in_use', COLUMN = 'sold_by_components', HINT = 'conflict';
    END IF;
    RETURN NEW;
END
""")
TRIGGERS = (
    Trigger("inventory_productvariant", "wall_kit_bought", "BEFORE UPDATE OF sold_by_components", KEEP_KIT_BOUGHT.signature),
    Trigger("orders_purchaseorderitem", "wall_kit", "BEFORE INSERT OR UPDATE OF variant_id", "refuse_kit()"),
    Trigger(
        "orders_salesorderitem", "wall_kit",
        "AFTER UPDATE OF allocated_quantity, picked_quantity, shipped_quantity, returned_quantity", FOLLOW_COMPONENTS.signature,
    ),
    Trigger("orders_invoiceitem", "keep_issued", "BEFORE INSERT OR DELETE OR UPDATE", "keep_issued_items()"),
    Trigger("orders_promotion", "keep_terms", "BEFORE UPDATE", "keep_promotion_terms()"),
    Trigger("orders_promotiongoods", "keep_terms", "BEFORE INSERT OR DELETE OR UPDATE", "keep_promotion_terms()"),
)
