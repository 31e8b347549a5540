"""`?attr.storage__gte=128 GB`: lists of products and variants by their attributes, as SQL conditions.

Each value has a key that sorts as it does, so that a range is read from an index under row security, too.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from core.choosing import ORDERED as ORDERED_LOOKUPS
from core.choosing import Condition, Conditions
from core.problems import BadParameter
from core.reading import BASE
from core.tenancy import active_organization_id
from inventory.models import AttributeDefinition
from inventory.queries.attributes import ORDERED, Attributes, attributes_with_units, how_many, key_of
from inventory.queries.catalog import BRANCH

PREFIX = "attr."
MOST_FILTERS = 10
FAMILY: tuple[dict[str, Any], str] = (
    {"type": "string"},
    "An attribute by its code, as in `attr.color=red`, `attr.color__in=red,blue`, `attr.storage__gte=128 GB` and"
    " `attr.storage__isnull=true`; also gt, lt and lte, of numbers, measures and days. A measure is converted.",
)
UNDER: tuple[dict[str, Any], str] = ({"type": "string", "format": "uuid"}, "Id of a category: what is in it or in one below it.")

# Up to so many rows with a value, a list looks them up; of more, it walks through its order and asks each row for its value until
# the page is full. The planner cannot choose: what it guesses is the same for a rare value and for a common one.
FEW = 5_000

FOUND = "a.organization_id = %s AND a.definition_id = %s"
# `IS NULL` would be looked up in an index that has no product, and one attribute may have values of a million products.
OF_THE_PRODUCT = "(a.variant_id IS NOT NULL) IS FALSE"
NO_OWN = """
    NOT EXISTS (SELECT FROM inventory_productattributevalue AS own WHERE own.organization_id = a.organization_id
        AND own.variant_id = {0} AND own.definition_id = a.definition_id)
"""


class Owners(NamedTuple):
    """SQL with a place for the condition on the value: the ids of those who have it, and whether the row has it."""

    listed: str
    asked: str


# A product is found by its own value, or by one of its variants'.
OF_A_PRODUCT = f"""
    FROM inventory_productattributevalue AS a
    WHERE {FOUND} AND {{0}} AND (a.variant_id IS NULL OR EXISTS (
        SELECT FROM inventory_productvariant AS v
        WHERE v.organization_id = a.organization_id AND v.id = a.variant_id AND v.archived_at IS NULL))
"""
OF_PRODUCTS = Owners(
    f"SELECT a.product_id {OF_A_PRODUCT}", f"EXISTS (SELECT {OF_A_PRODUCT} AND a.product_id = {BASE}.id OFFSET 0)",
)
# A variant is found by its own value; without one, by its product's.
OF_VARIANTS = Owners(
    f"""
    SELECT a.variant_id FROM inventory_productattributevalue AS a WHERE {FOUND} AND {{0}} AND a.variant_id IS NOT NULL
    UNION ALL
    SELECT v.id FROM inventory_productattributevalue AS a
    JOIN inventory_productvariant AS v ON v.organization_id = a.organization_id AND v.product_id = a.product_id
    WHERE {FOUND} AND {{0}} AND {OF_THE_PRODUCT} AND {NO_OWN.format("v.id")}
    """,
    f"""
    (EXISTS (SELECT FROM inventory_productattributevalue AS a WHERE {FOUND} AND {{0}} AND a.variant_id = {BASE}.id OFFSET 0)
     OR EXISTS (SELECT FROM inventory_productattributevalue AS a
                WHERE {FOUND} AND {{0}} AND a.product_id = {BASE}.product_id AND {OF_THE_PRODUCT}
                    AND {NO_OWN.format(f"{BASE}.id")} OFFSET 0))
    """,
)


class Sought(NamedTuple):
    """The condition on the value, a definition's, and its parameters; those without it where `is_without`."""

    condition: str
    values: list[Any]
    is_without: bool = False

    def of(self, sql: str) -> Condition:
        return sql.format(self.condition), self.values * sql.count("{0}")


def attribute_conditions(query: Mapping[str, str], owners: Owners) -> Conditions:
    """`owners` is OF_PRODUCTS or OF_VARIANTS. Raises BadParameter."""
    asked = {name: text for name, text in query.items() if name.startswith(PREFIX)}
    if not asked:
        return []
    if len(asked) > MOST_FILTERS:
        raise BadParameter(PREFIX, f"{PREFIX}: at most {MOST_FILTERS} attributes in one request.")
    known = attributes_with_units({_split(name)[0] for name in asked})
    wanted = [_wanted(known, name, text) for name, text in asked.items()]
    numbers = how_many([one.of(owners.listed) for one in wanted], most=FEW + 1)
    return [_chosen(one, owners, number <= FEW) for one, number in zip(wanted, numbers, strict=True)]


def _chosen(wanted: Sought, owners: Owners, are_few: bool) -> Condition:
    sql, values = wanted.of(owners.listed if are_few else owners.asked)
    if are_few:
        return f"{BASE}.id {'<> ALL' if wanted.is_without else '= ANY'} (ARRAY({sql}))", values
    return f"NOT {sql}" if wanted.is_without else sql, values


def branch_condition(column: str, text: str) -> Condition:
    """The rows whose column refers to the category, or to one below it."""
    try:
        category = UUID(text)
    except ValueError as error:
        raise BadParameter("under", "under: the id (a UUID) of a category.") from error
    return f"{BASE}.{column} = ANY (ARRAY({BRANCH}))", [active_organization_id(), category]


def _wanted(known: Attributes, name: str, text: str) -> Sought:
    definition, lookup = _known(known, name)
    owner = [active_organization_id(), definition.pk]
    if lookup == "isnull":
        if text not in ("true", "false"):
            raise BadParameter(name, f"{name}: true or false.")
        return Sought("true", owner, text == "true")
    keys, values = [], []
    try:
        for part in text.split(",") if lookup == "in" else [text]:
            sql, given = key_of(known.parsed(definition, part))
            keys.append(sql)
            values += given
    except ValueError as error:
        raise BadParameter(name, f"{name}: {error}") from error
    condition = f"a.key IN ({', '.join(keys)})" if lookup == "in" else f"a.key {ORDERED_LOOKUPS.get(lookup, '=')} {keys[0]}"
    return Sought(condition, [*owner, *values])


def _split(name: str) -> tuple[str, str]:
    """The attribute's code, and the lookup or nothing."""
    code, _, lookup = name.removeprefix(PREFIX).partition("__")
    return code, lookup


def _known(known: Attributes, name: str) -> tuple[AttributeDefinition, str]:
    code, lookup = _split(name)
    try:
        definition = known.named(code)
    except ValueError as error:
        raise BadParameter(name, f"{name}: {error}") from error
    if not definition.is_filterable:
        raise BadParameter(name, f"Lists are not filtered by {code}: its definition says so.")
    lookups = ["in", "isnull", *(ORDERED_LOOKUPS if definition.data_type in ORDERED else ())]
    if lookup and lookup not in lookups:
        raise BadParameter(name, f"Unknown lookup {lookup!r} of {PREFIX}{code}. Known: {', '.join(lookups)}.")
    return definition, lookup
