"""What must be true of attributes, bills of materials and relations."""

from core.invariants import Invariant

NO_LOOP = """
    WITH RECURSIVE reached AS (
        SELECT {begins} AS first_id, {ends} AS id FROM {table} WHERE organization_id = %(organization)s {only}
        UNION
        SELECT reached.first_id, t.{ends} FROM reached
        JOIN {table} AS t ON t.organization_id = %(organization)s AND t.{begins} = reached.id {only}
    ) SELECT format('variant %%s leads back to itself', first_id) FROM reached WHERE id = first_id ORDER BY 1
"""

CATALOG = [
    Invariant("an attribute value fits its definition", """
        SELECT format('attribute value %%s: of type %%s', a.id, d.data_type)
        FROM inventory_productattributevalue AS a
        JOIN inventory_attributedefinition AS d ON d.organization_id = a.organization_id AND d.id = a.definition_id
        LEFT JOIN inventory_unitofmeasure AS u ON u.organization_id = a.organization_id AND u.id = a.unit_id
        LEFT JOIN inventory_unitofmeasure AS o ON o.organization_id = d.organization_id AND o.id = d.unit_id
        WHERE a.organization_id = %(organization)s AND (a.key IS NULL OR CASE d.data_type
            WHEN 'text' THEN a.value_text IS NULL
            WHEN 'choice' THEN a.value_text IS NULL OR a.value_text <> ALL (d.options)
            WHEN 'boolean' THEN a.value_boolean IS NULL
            WHEN 'date' THEN a.value_date IS NULL
            WHEN 'measure' THEN a.value_number IS NULL OR u.dimension IS DISTINCT FROM o.dimension
            ELSE a.value_number IS NULL OR a.unit_id IS NOT NULL END)
        ORDER BY 1
    """),
    Invariant("an attribute value of a variant is one of the variant's product", """
        SELECT format('attribute value %%s: product %%s, variant of product %%s', a.id, a.product_id, v.product_id)
        FROM inventory_productattributevalue AS a
        JOIN inventory_productvariant AS v ON v.organization_id = a.organization_id AND v.id = a.variant_id
        WHERE a.organization_id = %(organization)s AND a.product_id <> v.product_id
        ORDER BY 1
    """),
    Invariant("a variant knows its values on axes", """
        SELECT format('variant %%s: key %%s, values %%s', v.id, COALESCE(v.axis_key, 'none'), COALESCE(found.key, 'none'))
        FROM inventory_productvariant AS v
        LEFT JOIN (
            SELECT a.variant_id, encode(sha256(convert_to(
                       string_agg(a.definition_id || '=' || a.key, ';' ORDER BY a.definition_id), 'UTF8')), 'hex') AS key
            FROM inventory_productattributevalue AS a
            JOIN inventory_attributedefinition AS d ON d.organization_id = a.organization_id AND d.id = a.definition_id
            WHERE a.organization_id = %(organization)s AND d.is_variant_axis GROUP BY a.variant_id
        ) AS found ON found.variant_id = v.id
        WHERE v.organization_id = %(organization)s AND v.axis_key IS DISTINCT FROM found.key
        ORDER BY 1
    """),
    Invariant(
        "nothing is made of itself",
        NO_LOOP.format(table="inventory_bomline", begins="assembly_id", ends="component_id", only=""),
    ),
    Invariant("nothing supersedes itself", NO_LOOP.format(
        table="inventory_productrelation", begins="from_variant_id", ends="to_variant_id", only="AND kind = 'supersedes'",
    )),
]
