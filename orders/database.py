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
TRIGGERS = (
    Trigger("orders_invoiceitem", "keep_issued", "BEFORE INSERT OR DELETE OR UPDATE", "keep_issued_items()"),
)
