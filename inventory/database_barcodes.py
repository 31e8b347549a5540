"""The check digit of a barcode, whoever writes it: the API, the admin, an import or SQL."""

from core.wall_sql import Function, Trigger
from inventory.gs1.digits import LENGTHS

_DIGITS = " ".join(f"WHEN '{symbology}' THEN {length}" for symbology, length in LENGTHS.items())

CHECK_BARCODE = Function("check_barcode()", "trigger", f"""
DECLARE
    digits integer := CASE NEW.symbology {_DIGITS} END;
    body text;
    total integer := 0;
    problem text;
BEGIN
    IF digits IS NULL THEN
        RETURN NEW;
    END IF;
    NEW.value := translate(NEW.value, ' -', '');
    body := left(NEW.value, digits - 1);
    IF NEW.value !~ '^[0-9]+$' OR length(NEW.value) NOT IN (digits, digits - 1) THEN
        problem := format('Give %s digits.', digits);
    ELSIF NEW.value !~ '[1-9]' THEN
        problem := 'Zeros alone are no number: leave the barcode out where there is none.';
    ELSE
        FOR place IN 1 .. digits - 1 LOOP
            total := total + substr(body, digits - place, 1)::integer * CASE WHEN place % 2 = 1 THEN 3 ELSE 1 END;
        END LOOP;
        total := (10 - total % 10) % 10;
        IF length(NEW.value) < digits THEN
            problem := format('Give all %s digits: the check digit %s is missing at the end.', digits, total);
        ELSIF right(NEW.value, 1) <> total::text THEN
            problem := format('The check digit would be %s, not %s: is one of the digits wrong?', total, right(NEW.value, 1));
        END IF;
    END IF;
    IF problem IS NOT NULL THEN
        RAISE EXCEPTION '%', problem USING ERRCODE = 'check_violation', CONSTRAINT = 'barcode_digits', COLUMN = 'value';
    END IF;
    RETURN NEW;
END
""")

TRIGGERS = (
    Trigger(
        "inventory_productbarcode", "wall_digits", "BEFORE INSERT OR UPDATE OF symbology, value", CHECK_BARCODE.signature,
    ),
)
