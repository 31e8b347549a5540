"""The check digit of an SSCC, whoever writes it."""

from core.wall_sql import Function, Trigger

CHECK_SSCC = Function("check_sscc()", "trigger", """
DECLARE
    total integer := 0;
BEGIN
    IF NEW.sscc !~ '^[0-9]{18}$' THEN
        RAISE EXCEPTION 'An SSCC has 18 digits.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'logistic_unit_digits', COLUMN = 'sscc';
    END IF;
    FOR place IN 1 .. 17 LOOP
        total := total + substr(NEW.sscc, place, 1)::integer * CASE WHEN place % 2 = 1 THEN 3 ELSE 1 END;
    END LOOP;
    total := (10 - total % 10) % 10;
    IF right(NEW.sscc, 1) <> total::text THEN
        RAISE EXCEPTION 'The check digit would be %, not %: was it read whole?', total, right(NEW.sscc, 1)
            USING ERRCODE = 'check_violation', CONSTRAINT = 'logistic_unit_digits', COLUMN = 'sscc';
    END IF;
    RETURN NEW;
END
""")

TRIGGERS = (
    Trigger("inventory_logisticunit", "wall_sscc", "BEFORE INSERT OR UPDATE OF sscc", CHECK_SSCC.signature),
)
