"""The words that the search should have, made anew from the rows that they come from."""

from inventory.database_search import SOURCES, Source


def owners(source: Source) -> str:
    """Each row of a source: its id, the product and the variant that it is about, its words and its codes."""
    variant = {"inventory_product": "NULL::uuid", "inventory_productvariant": "t.id"}.get(source.table, "t.variant_id")
    product = "t.id" if source.table == "inventory_product" else "COALESCE((to_jsonb(t) ->> 'product_id')::uuid, v.product_id)"
    words, codes = (f"ARRAY[{', '.join(f't.{name}' for name in names)}]::text[]" for names in (source.words, source.codes))
    join = "" if source.table == "inventory_product" else (
        f" LEFT JOIN inventory_productvariant AS v ON v.organization_id = t.organization_id AND v.id = {variant}"
    )
    return (
        f"SELECT t.id AS source_id, {product} AS product_id, {variant} AS variant_id, {words} AS words, {codes} AS codes"
        f" FROM {source.table} AS t{join} WHERE t.organization_id = %(organization)s"
    )


COLUMNS = "source_id, product_id, variant_id, token, is_code"  # apart from the id, which tells nothing
EVERY_OWNER = " UNION ALL ".join(owners(source) for source in SOURCES)
WANTED = (
    f"SELECT found.id, o.source_id, o.product_id, o.variant_id, found.token, found.is_code"
    f" FROM ({EVERY_OWNER}) AS o, search_tokens(o.words, o.codes) AS found"
)
KEPT = f"SELECT {COLUMNS} FROM inventory_searchtoken WHERE organization_id = %(organization)s"

# Rows of a source after a row, that lack words, or all of them; whoever would change them meanwhile waits.
BATCH = """
    SELECT o.source_id FROM ({owners}) AS o
    WHERE o.source_id > %(after)s AND (%(anew)s OR NOT EXISTS (
        SELECT FROM inventory_searchtoken AS k
        WHERE k.organization_id = %(organization)s AND k.product_id = o.product_id AND k.source_id = o.source_id))
    ORDER BY o.source_id LIMIT %(size)s
"""
LOCK = "SELECT FROM {table} WHERE organization_id = %(organization)s AND id = ANY (%(rows)s) ORDER BY id FOR SHARE"
FORGET = """
    DELETE FROM inventory_searchtoken AS k USING ({owners}) AS o
    WHERE o.source_id = ANY (%(rows)s) AND k.organization_id = %(organization)s
        AND k.product_id = o.product_id AND k.source_id = o.source_id
"""
LEARN = f"""
    INSERT INTO inventory_searchtoken (id, organization_id, {COLUMNS})
    SELECT found.id, %(organization)s, o.source_id, o.product_id, o.variant_id, found.token, found.is_code
    FROM ({{owners}}) AS o, search_tokens(o.words, o.codes) AS found WHERE o.source_id = ANY (%(rows)s)
"""
# Of rows that are gone, or that were about something else.
STRAY = f"""
    DELETE FROM inventory_searchtoken AS k WHERE k.organization_id = %(organization)s AND NOT EXISTS (
        SELECT FROM ({EVERY_OWNER}) AS o WHERE o.source_id = k.source_id AND o.product_id = k.product_id
            AND o.variant_id IS NOT DISTINCT FROM k.variant_id)
"""
