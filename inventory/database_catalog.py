"""What the database does with attribute values, bills of materials and relations, by whatever path they are written."""

from core.wall_sql import Function, Trigger

# A number as text that sorts as the number does: shifted above zero, 22 digits before the point and 12 after it.
# It takes numbers between -10^21 and 10^21.
NUMBER_KEY = "lpad((round({0}, 12) + 1000000000000000000000)::text, 35, '0')"
MOST = 10**21

# Checks a value by its definition, and makes its key. The definition and the unit are locked, so that nobody changes
# what the value was checked by; the variant, so that those who write its values take turns.
CHECK_ATTRIBUTE = Function("check_attribute_value()", "trigger", f"""
DECLARE
    definition record;
    measured record;
    owner uuid;
    number numeric := NEW.value_number;
    filled text := CASE WHEN NEW.value_text IS NOT NULL THEN 'value_text' WHEN NEW.value_number IS NOT NULL THEN 'value_number'
                        WHEN NEW.value_boolean IS NOT NULL THEN 'value_boolean' ELSE 'value_date' END;
    wanted text;
    refusal text;
    place text;
BEGIN
    IF NEW.variant_id IS NOT NULL THEN
        SELECT product_id INTO owner FROM inventory_productvariant
        WHERE organization_id = NEW.organization_id AND id = NEW.variant_id FOR NO KEY UPDATE;
        IF NEW.product_id IS NULL OR TG_OP = 'UPDATE' AND NEW.product_id = OLD.product_id THEN
            NEW.product_id := COALESCE(owner, NEW.product_id);
        END IF;
    END IF;
    SELECT d.data_type, d.unit_id, d.options, d.is_variant_axis INTO definition FROM inventory_attributedefinition AS d
    WHERE d.organization_id = NEW.organization_id AND d.id = NEW.definition_id FOR SHARE;
    IF NOT FOUND THEN
        RETURN NEW;  -- the foreign key says what is wrong
    END IF;
    wanted := CASE definition.data_type WHEN 'text' THEN 'value_text' WHEN 'choice' THEN 'value_text'
                  WHEN 'boolean' THEN 'value_boolean' WHEN 'date' THEN 'value_date' ELSE 'value_number' END;
    IF NEW.product_id IS NULL AND NEW.variant_id IS NULL THEN
        place := 'product';
        refusal := 'Give a product or a variant.';
    ELSIF filled <> wanted THEN
        place := wanted;
        refusal := format('This attribute is of the type %s: give %s, and no other value.', definition.data_type, wanted);
    ELSIF owner <> NEW.product_id THEN
        place := 'product';
        refusal := 'This is not the product of the variant: leave it out.';
    ELSIF definition.is_variant_axis AND NEW.variant_id IS NULL THEN
        place := 'variant';
        refusal := 'This attribute tells the variants of a product apart: give it to a variant.';
    ELSIF definition.data_type = 'choice' AND NEW.value_text <> ALL (definition.options) THEN
        place := 'value_text';
        refusal := format('Give one of %s.', array_to_string(definition.options, ', '));
    ELSIF definition.data_type = 'integer' AND number <> trunc(number) THEN
        place := 'value_number';
        refusal := 'Give a whole number.';
    ELSIF definition.data_type = 'measure' THEN
        NEW.unit_id := COALESCE(NEW.unit_id, definition.unit_id);
        SELECT u.dimension, u.factor, u.divisor, o.dimension AS wanted INTO measured
        FROM inventory_unitofmeasure AS u JOIN inventory_unitofmeasure AS o
            ON o.organization_id = u.organization_id AND o.id = definition.unit_id
        WHERE u.organization_id = NEW.organization_id AND u.id = NEW.unit_id FOR SHARE;
        IF NOT FOUND THEN
            RETURN NEW;
        END IF;
        number := number * measured.factor / measured.divisor;
        IF measured.dimension <> measured.wanted OR measured.dimension = 'none' AND NEW.unit_id <> definition.unit_id THEN
            place := 'unit';
            refusal := 'This unit cannot be converted into the unit of the attribute.';
        ELSIF abs(number) >= {MOST} THEN
            place := 'value_number';
            refusal := 'This is too much to be compared with anything.';
        END IF;
    ELSIF NEW.unit_id IS NOT NULL THEN
        place := 'unit';
        refusal := 'Only a measure has a unit.';
    END IF;
    IF refusal IS NOT NULL THEN
        RAISE EXCEPTION '%', refusal USING ERRCODE = 'check_violation', CONSTRAINT = 'attribute_value', COLUMN = place;
    END IF;
    NEW.key := CASE wanted WHEN 'value_text' THEN lower(NEW.value_text) WHEN 'value_boolean' THEN NEW.value_boolean::text
                   WHEN 'value_date' THEN to_char(NEW.value_date, 'YYYY-MM-DD') ELSE {NUMBER_KEY.format("number")} END;
    RETURN NEW;
END
""")

# The key of a variant is made of all its values on axes, once a statement has written them all; a unique index compares it
# with those of the other variants.
KEEP_AXES = Function("keep_variant_axes()", "trigger", """
DECLARE
    touched uuid;
BEGIN
    FOR touched IN
        SELECT DISTINCT one.variant FROM (VALUES
            (CASE WHEN TG_OP <> 'DELETE' THEN NEW.variant_id END, CASE WHEN TG_OP <> 'DELETE' THEN NEW.definition_id END),
            (CASE WHEN TG_OP <> 'INSERT' THEN OLD.variant_id END, CASE WHEN TG_OP <> 'INSERT' THEN OLD.definition_id END)
        ) AS one(variant, definition)
        JOIN inventory_attributedefinition AS d
            ON d.organization_id = COALESCE(NEW.organization_id, OLD.organization_id) AND d.id = one.definition
        WHERE one.variant IS NOT NULL AND d.is_variant_axis ORDER BY 1
    LOOP
        PERFORM FROM inventory_productvariant
        WHERE organization_id = COALESCE(NEW.organization_id, OLD.organization_id) AND id = touched FOR NO KEY UPDATE;
        UPDATE inventory_productvariant AS v SET axis_key = found.key
        FROM (
            SELECT encode(sha256(convert_to(string_agg(a.definition_id || '=' || a.key, ';' ORDER BY a.definition_id), 'UTF8')),
                          'hex') AS key
            FROM inventory_productattributevalue AS a
            JOIN inventory_attributedefinition AS d ON d.organization_id = a.organization_id AND d.id = a.definition_id
            WHERE a.organization_id = COALESCE(NEW.organization_id, OLD.organization_id) AND a.variant_id = touched
                AND d.is_variant_axis
        ) AS found
        WHERE v.organization_id = COALESCE(NEW.organization_id, OLD.organization_id) AND v.id = touched
            AND v.axis_key IS DISTINCT FROM found.key;
    END LOOP;
    RETURN NULL;
END
""")

# A value that does not fit its definition any more would be compared wrongly.
KEEP_DEFINITION = Function("keep_attribute_definition()", "trigger", """
DECLARE
    refusal text;
    gone text;
BEGIN
    IF NOT EXISTS (SELECT FROM inventory_productattributevalue
                   WHERE organization_id = OLD.organization_id AND definition_id = OLD.id) THEN
        RETURN NEW;
    END IF;
    SELECT min(a.value_text) INTO gone FROM inventory_productattributevalue AS a
    WHERE a.organization_id = OLD.organization_id AND a.definition_id = OLD.id AND NEW.data_type = 'choice'
        AND a.value_text <> ALL (NEW.options);
    IF NEW.data_type <> OLD.data_type OR NEW.is_variant_axis <> OLD.is_variant_axis THEN
        refusal := 'Products have values of this attribute: its type, and whether it is an axis, stay as they are.';
    ELSIF gone IS NOT NULL THEN
        refusal := format('Products have the value %s: it stays among the options.', gone);
    ELSIF NEW.unit_id <> OLD.unit_id AND
          (SELECT count(DISTINCT dimension) + count(*) FILTER (WHERE dimension = 'none') FROM inventory_unitofmeasure
           WHERE organization_id = OLD.organization_id AND id IN (OLD.unit_id, NEW.unit_id)) > 1 THEN
        refusal := 'Products have values of this attribute: its unit can become another one of the same dimension alone.';
    END IF;
    IF refusal IS NOT NULL THEN
        RAISE EXCEPTION '%', refusal USING ERRCODE = 'check_violation', CONSTRAINT = 'attribute_in_use', HINT = 'conflict';
    END IF;
    RETURN NEW;
END
""")

# A factor that was wrong is corrected together with the values that were converted by it.
FOLLOW_UNIT = Function("follow_unit()", "trigger", """
BEGIN
    IF NEW.dimension <> OLD.dimension AND EXISTS (
        SELECT FROM inventory_attributedefinition WHERE organization_id = OLD.organization_id AND unit_id = OLD.id
        UNION ALL
        SELECT FROM inventory_productattributevalue WHERE organization_id = OLD.organization_id AND unit_id = OLD.id
    ) THEN
        RAISE EXCEPTION 'Attributes are measured in this unit: its dimension stays as it is.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'unit_in_use', HINT = 'conflict';
    END IF;
    IF (NEW.factor, NEW.divisor) <> (OLD.factor, OLD.divisor) THEN
        UPDATE inventory_productattributevalue SET unit_id = unit_id
        WHERE organization_id = NEW.organization_id AND unit_id = NEW.id;
    END IF;
    RETURN NULL;
END
""")

# The values of a variant belong to its product, whichever that is.
FOLLOW_VARIANT = Function("follow_variant()", "trigger", """
BEGIN
    UPDATE inventory_productattributevalue SET product_id = NEW.product_id
    WHERE organization_id = NEW.organization_id AND variant_id = NEW.id AND product_id <> NEW.product_id;
    RETURN NULL;
END
""")

# Rows that are the arrows of a graph must not lead back to where they begin; the lock makes two that would close a circle
# together wait for each other. Arguments: the columns where an arrow begins and ends, the only kind of arrows that count
# (empty: all), the field to blame and the words.
REFUSE_LOOP = Function("refuse_loop()", "trigger", """
DECLARE
    begins uuid := (to_jsonb(NEW) ->> TG_ARGV[0])::uuid;
    ends uuid := (to_jsonb(NEW) ->> TG_ARGV[1])::uuid;
    looped boolean;
BEGIN
    IF TG_ARGV[2] <> '' AND to_jsonb(NEW) ->> 'kind' <> TG_ARGV[2] THEN
        RETURN NEW;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended(TG_TABLE_NAME || NEW.organization_id, 0));
    EXECUTE format('WITH RECURSIVE reached AS (SELECT $2 AS id UNION SELECT t.%2$I FROM reached JOIN %1$I AS t'
                   ' ON t.organization_id = $1 AND t.%3$I = reached.id AND t.id <> $4 %4$s)'
                   ' SELECT EXISTS (SELECT FROM reached WHERE id = $3)',
                   TG_TABLE_NAME, TG_ARGV[1], TG_ARGV[0],
                   CASE WHEN TG_ARGV[2] = '' THEN '' ELSE format('AND t.kind = %L', TG_ARGV[2]) END)
        INTO looped USING NEW.organization_id, ends, begins, NEW.id;
    IF looped THEN
        RAISE EXCEPTION '%', TG_ARGV[4] USING ERRCODE = 'check_violation', CONSTRAINT = 'loop', COLUMN = TG_ARGV[3];
    END IF;
    RETURN NEW;
END
""")

FUNCTIONS = (CHECK_ATTRIBUTE, KEEP_AXES, KEEP_DEFINITION, FOLLOW_UNIT, FOLLOW_VARIANT, REFUSE_LOOP)

VALUES, VARIANTS, LINES, RELATIONS = (
    "inventory_productattributevalue", "inventory_productvariant", "inventory_bomline", "inventory_productrelation",
)
NO_LOOP = {
    LINES: ("assembly_id", "component_id", "", "component", "An assembly cannot be a part of itself."),
    RELATIONS: ("from_variant_id", "to_variant_id", "supersedes", "to_variant", "A part cannot come to supersede itself."),
}
TRIGGERS = (
    Trigger(VALUES, "wall_attribute", "BEFORE INSERT OR UPDATE", CHECK_ATTRIBUTE.signature),
    Trigger(VALUES, "wall_axes", "AFTER INSERT OR DELETE OR UPDATE", KEEP_AXES.signature),
    Trigger(
        "inventory_attributedefinition", "wall_definition", "BEFORE UPDATE OF data_type, unit_id, options, is_variant_axis",
        KEEP_DEFINITION.signature,
    ),
    Trigger("inventory_unitofmeasure", "wall_unit", "AFTER UPDATE OF dimension, factor, divisor", FOLLOW_UNIT.signature),
    Trigger(VARIANTS, "wall_values", "AFTER UPDATE OF product_id", FOLLOW_VARIANT.signature),
    Trigger(
        LINES, "wall_loop", "BEFORE INSERT OR UPDATE OF assembly_id, component_id",
        f"refuse_loop({', '.join(f"'{one}'" for one in NO_LOOP[LINES])})",
    ),
    Trigger(
        RELATIONS, "wall_loop", "BEFORE INSERT OR UPDATE OF from_variant_id, kind, to_variant_id",
        f"refuse_loop({', '.join(f"'{one}'" for one in NO_LOOP[RELATIONS])})",
    ),
)
