"""What the database does itself for the search: it keeps the words of products and variants, and knows what is nearly a word."""

from collections.abc import Sequence
from typing import NamedTuple

from core.wall_sql import Function, Trigger
from inventory.search_text import BETWEEN, LIKE, LONGEST, MARKS, SPELLED


class Source(NamedTuple):
    """A table whose rows give words to a product or a variant, by columns called product_id and variant_id.

    `words` are columns of text; `codes` are found as a whole, in pieces, and first of all when they are given whole.
    """

    table: str
    words: Sequence[str] = ()
    codes: Sequence[str] = ()


# Where a further text is added. Then `manage.py rebuild_search`, for the rows that are there.
SOURCES = (
    Source("inventory_product", words=("name",)),
    Source("inventory_productvariant", words=("name",), codes=("sku",)),
    Source("inventory_productattributevalue", words=("value_text",)),
    Source("inventory_productbarcode", codes=("value", "gtin")),
    Source("inventory_supplierproduct", codes=("supplier_sku", "manufacturer_part_number")),
)

_SPELLED = "given"
for _letter, _letters in SPELLED.items():
    _SPELLED = f"replace({_SPELLED}, '{_letter}', '{_letters}')"
_LIKE = f"'{''.join(LIKE)}', '{''.join(LIKE.values())}'"

# As inventory.search_text.folded.
FOLD = Function("search_fold(text)", "text", f"""
BEGIN
    IF octet_length(given) = length(given) THEN
        RETURN lower(given);
    END IF;
    RETURN translate(lower(regexp_replace(normalize({_SPELLED}, NFKD), '[{MARKS}]', '', 'g')), {_LIKE});
END
""", callers=("app", "worker"), arguments="given text")

# A code counts as a whole, in its pieces, and in the runs of letters and of digits that they are made of. One id is made
# for all, of which each word gets its number at the end: to make a new one for each word takes longer than the word.
TOKENS = Function("search_tokens(text[],text[])", "TABLE(id uuid, token text, is_code boolean)", f"""
DECLARE
    base text := left(uuid7()::text, 32);
    spaced text := regexp_replace(search_fold(array_to_string(words, ' ')), '[{BETWEEN}\\s]+', ' ', 'g');
    parts text[] := string_to_array(spaced, ' ');
    whole text[] := '{{}}';
    code text;
BEGIN
    FOREACH code IN ARRAY codes LOOP
        IF code <> '' THEN
            spaced := regexp_replace(search_fold(code), '[{BETWEEN}\\s]+', ' ', 'g');
            whole := whole || left(replace(spaced, ' ', ''), {LONGEST});
            parts := parts || string_to_array(spaced, ' ');
            spaced := regexp_replace(spaced, '([0-9])([^0-9 ])', '\\1 \\2', 'g');
            parts := parts || string_to_array(regexp_replace(spaced, '([^0-9 ])([0-9])', '\\1 \\2', 'g'), ' ');
        END IF;
    END LOOP;
    RETURN QUERY
    SELECT (base || lpad(to_hex(row_number() OVER ()), 4, '0'))::uuid, found.word, found.word = ANY (whole)
    FROM (SELECT DISTINCT left(one, {LONGEST}) AS word FROM unnest(parts || whole) AS one) AS found
    WHERE found.word <> '';
END
""", callers=("app", "worker"), arguments="words text[], codes text[]")

# Arguments: the columns of words, and those of codes.
KEEP_TOKENS = Function("keep_search_tokens()", "trigger", """
DECLARE
    filled jsonb := CASE WHEN TG_OP = 'DELETE' THEN to_jsonb(OLD) ELSE to_jsonb(NEW) END;
    organization uuid := (filled ->> 'organization_id')::uuid;
    variant uuid := filled ->> CASE TG_TABLE_NAME WHEN 'inventory_productvariant' THEN 'id' ELSE 'variant_id' END;
    product uuid := filled ->> CASE TG_TABLE_NAME WHEN 'inventory_product' THEN 'id' ELSE 'product_id' END;
    before jsonb;
    former uuid;
BEGIN
    IF product IS NULL THEN
        SELECT product_id INTO product FROM inventory_productvariant WHERE organization_id = organization AND id = variant;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        before := to_jsonb(OLD);
        IF TG_OP = 'UPDATE' AND NOT EXISTS (
            SELECT FROM unnest(TG_ARGV[0]::text[] || TG_ARGV[1]::text[] || '{variant_id,product_id}') AS name
            WHERE before -> name IS DISTINCT FROM filled -> name
        ) THEN
            RETURN NULL;
        END IF;
        former := COALESCE((before ->> 'product_id')::uuid, product);
        IF before ->> 'variant_id' <> filled ->> 'variant_id' THEN
            SELECT product_id INTO former FROM inventory_productvariant
            WHERE organization_id = organization AND id = (before ->> 'variant_id')::uuid;
        END IF;
        DELETE FROM inventory_searchtoken
        WHERE organization_id = organization AND product_id IN (former, product) AND source_id = OLD.id;
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN NULL;
    END IF;
    IF TG_TABLE_NAME = 'inventory_productvariant' AND former <> product THEN
        -- Waits for those who give this variant a barcode right now, which holds its row: theirs move too.
        PERFORM FROM inventory_productvariant WHERE organization_id = organization AND id = variant FOR UPDATE;
        UPDATE inventory_searchtoken SET product_id = product
        WHERE organization_id = organization AND product_id = former AND variant_id = variant;
    END IF;
    INSERT INTO inventory_searchtoken (id, organization_id, source_id, product_id, variant_id, token, is_code)
    SELECT found.id, organization, NEW.id, product, variant, found.token, found.is_code
    FROM search_tokens(ARRAY(SELECT filled ->> name FROM unnest(TG_ARGV[0]::text[]) AS name),
                       ARRAY(SELECT filled ->> name FROM unnest(TG_ARGV[1]::text[]) AS name)) AS found;
    RETURN NULL;
END
""")

# With one letter too many, one too few, one wrong or two swapped, in the alphabet of the word.
NEIGHBOURS = Function("search_neighbours(text)", "TABLE(token text)", """
DECLARE
    letters text[] := string_to_array('abcdefghijklmnopqrstuvwxyz0123456789'
        || CASE WHEN word ~ '[\\u0400-\\u04ff]' THEN 'абвгдежзиклмнопрстуфхцчшщъыьэюяіє' ELSE '' END
        || CASE WHEN word ~ '[\\u0370-\\u03ff]' THEN 'αβγδεζηθικλμνξοπρστυφχψω' ELSE '' END, NULL);
    size integer := length(word);
BEGIN
    IF size < 4 THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT left(word, place - 1) || substr(word, place + 1) FROM generate_series(1, size) AS place
    UNION SELECT left(word, place - 1) || substr(word, place + 1, 1) || substr(word, place, 1) || substr(word, place + 2)
    FROM generate_series(1, size - 1) AS place
    UNION SELECT left(word, place - 1) || letter || substr(word, place + 1)
    FROM generate_series(1, size) AS place, unnest(letters) AS letter
    UNION SELECT left(word, place) || letter || substr(word, place + 1)
    FROM generate_series(0, size) AS place, unnest(letters) AS letter;
END
""", callers=("app", "worker"), arguments="word text")

FUNCTIONS = (FOLD, TOKENS, KEEP_TOKENS, NEIGHBOURS)


def triggers() -> list[Trigger]:
    return [_trigger(source) for source in SOURCES]


def _trigger(source: Source) -> Trigger:
    words, codes = ("{" + ",".join(names) + "}" for names in (source.words, source.codes))
    return Trigger(
        source.table, "wall_search", "AFTER INSERT OR DELETE OR UPDATE", f"keep_search_tokens('{words}', '{codes}')",
    )
