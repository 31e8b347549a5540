"""Products and variants by words, SKUs and barcodes, from the words that the database keeps of them. See ADR 36.

Each condition is one that keeps its index under row security: `=` and `^@` on text in the C collation.
"""

from collections.abc import Callable
from typing import Any

from django.db import connection

from core.searching import Search
from core.tenancy import active_organization_id
from inventory.gs1.digits import as_gtin14, is_gtin
from inventory.search_text import MOST_WORDS, compact, words

type Part = tuple[str, list[Any]]

TOKENS = "inventory_searchtoken AS k WHERE k.organization_id = %s"
NEAR = "search_neighbours(%s) AS near JOIN inventory_searchtoken AS k ON k.organization_id = %s AND k.token = near.token"

PRODUCTS = "SELECT k.product_id FROM {0}"
# What a variant's product is called, it is called too.
VARIANTS = (
    "SELECT k.variant_id FROM {0} {1} k.variant_id IS NOT NULL UNION ALL"
    " SELECT v.id FROM (SELECT k.product_id FROM {0} {1} k.variant_id IS NULL) AS p"
    " JOIN inventory_productvariant AS v ON v.organization_id = %s AND v.product_id = p.product_id"
)

NOTHING = "SELECT NULL::uuid WHERE false"


def product_search(text: str) -> Search:
    return _search(text, _products, "k.product_id", "{0}.name_key ^@ %s", 1)


def variant_search(text: str) -> Search:
    return _search(text, _variants, "k.variant_id", "({0}.sku_key ^@ %s OR {0}.name_key ^@ %s)", 2)


def _search(text: str, having: Callable[[str, list[Any], str], Part], column: str, begins: str, times: int) -> Search:
    """All words must match. What nothing matches exactly is looked for again with a letter wrong in each word."""
    wanted = words(text)[:MOST_WORDS]
    if not wanted:
        return Search(NOTHING, [], lambda alias: "0 * 1")  # a number alone would be the place of a column
    organization = active_organization_id()
    exact, values = _all([_exactly(word, organization, having) for word in wanted])
    similar, near = _all([_nearly(word, organization, having) for word in wanted])
    ids = (
        f"WITH exact AS MATERIALIZED ({exact}) SELECT * FROM exact UNION ALL"
        f" SELECT * FROM ({similar}) AS near WHERE NOT EXISTS (SELECT FROM exact)"
    )
    return Search(ids, [*values, *near], _rank(text, column, begins, times))


def _exactly(word: str, organization: Any, having: Callable[[str, list[Any], str], Part]) -> Part:
    found, values = having(f"{TOKENS} AND k.token ^@ %s", [organization, word], "AND")
    if is_gtin(word):  # whichever of its lengths was kept
        same, more = having(f"{TOKENS} AND k.token = %s", [organization, as_gtin14(word)], "AND")
        return f"{found} UNION ALL {same}", [*values, *more]
    return found, values


def _nearly(word: str, organization: Any, having: Callable[[str, list[Any], str], Part]) -> Part:
    found, values = having(f"{TOKENS} AND k.token ^@ %s", [organization, word], "AND")
    near, more = having(NEAR, [word, organization], "WHERE")
    return f"{found} UNION ALL {near}", [*values, *more]


def _products(source: str, values: list[Any], more: str) -> Part:
    return PRODUCTS.format(source), values


def _variants(source: str, values: list[Any], more: str) -> Part:
    return VARIANTS.format(source, more), [*values, *values, active_organization_id()]


def _all(parts: list[Part]) -> Part:
    """The ids that each of the parts finds."""
    return " INTERSECT ".join(f"({sql})" for sql, _ in parts), [value for _, values in parts for value in values]


def _rank(text: str, column: str, begins: str, times: int) -> Callable[[str], str]:
    """A code that was given whole comes first, then what begins with the text, then the rest."""
    code = f"{{0}}.id IN (SELECT {column} FROM {TOKENS} AND k.token = %s AND k.is_code AND {column} IS NOT NULL)"
    sql = f"CASE WHEN {code} THEN 0 WHEN {begins} THEN 1 ELSE 2 END"

    def ranked(alias: str) -> str:
        values = [active_organization_id(), compact(text), *[text.strip().lower()] * times]
        composed: str = connection.ops.compose_sql(sql.format(alias), values)  # type: ignore[attr-defined]  # of PostgreSQL
        return composed.replace("%", "%%")

    return ranked
