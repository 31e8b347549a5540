"""`?attr.storage__gte=128 GB`: lists of products and variants by their attributes, as SQL conditions.

Each value has a key that sorts as it does, so that a range is read from an index under row security, too.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from core.choosing import ORDERED as ORDERED_LOOKUPS
from core.choosing import Condition, Conditions
from core.problems import BadParameter
from core.reading import BASE
from core.tenancy import active_organization_id
from inventory.models import AttributeDefinition
from inventory.queries.attributes import ORDERED, Attributes, attributes, key_of
from inventory.queries.catalog import BRANCH

PREFIX = "attr."
MOST_FILTERS = 10
FAMILY: tuple[dict[str, Any], str] = (
    {"type": "string"},
    "An attribute by its code, as in `attr.color=red`, `attr.color__in=red,blue`, `attr.storage__gte=128 GB` and"
    " `attr.storage__isnull=true`; also gt, lt and lte, of numbers, measures and days. A measure is converted.",
)
UNDER: tuple[dict[str, Any], str] = ({"type": "string", "format": "uuid"}, "Id of a category: what is in it or in one below it.")

FOUND = "a.organization_id = %s AND a.definition_id = %s"
# A product is found by its own value, or by one of its variants'.
OF_PRODUCTS = f"""
    SELECT a.product_id FROM inventory_productattributevalue AS a
    WHERE {FOUND} AND {{0}} AND (a.variant_id IS NULL OR EXISTS (
        SELECT FROM inventory_productvariant AS v
        WHERE v.organization_id = a.organization_id AND v.id = a.variant_id AND v.archived_at IS NULL))
"""
# A variant is found by its own value; without one, by its product's.
OF_VARIANTS = f"""
    SELECT a.variant_id FROM inventory_productattributevalue AS a WHERE {FOUND} AND {{0}} AND a.variant_id IS NOT NULL
    UNION ALL
    SELECT v.id FROM inventory_productattributevalue AS a
    JOIN inventory_productvariant AS v ON v.organization_id = a.organization_id AND v.product_id = a.product_id
    WHERE {FOUND} AND {{0}} AND a.variant_id IS NULL AND NOT EXISTS (
        SELECT FROM inventory_productattributevalue AS own
        WHERE own.organization_id = v.organization_id AND own.variant_id = v.id AND own.definition_id = a.definition_id)
"""


def attribute_conditions(query: Mapping[str, str], found: str) -> Conditions:
    """`found` is OF_PRODUCTS or OF_VARIANTS. Raises BadParameter."""
    asked = {name: text for name, text in query.items() if name.startswith(PREFIX)}
    if not asked:
        return []
    if len(asked) > MOST_FILTERS:
        raise BadParameter(PREFIX, f"{PREFIX}: at most {MOST_FILTERS} attributes in one request.")
    known = attributes()
    return [_condition(known, found, name, text) for name, text in asked.items()]


def branch_condition(column: str, text: str) -> Condition:
    """The rows whose column refers to the category, or to one below it."""
    try:
        category = UUID(text)
    except ValueError as error:
        raise BadParameter("under", "under: the id (a UUID) of a category.") from error
    return f"{BASE}.{column} = ANY (ARRAY({BRANCH}))", [active_organization_id(), category]


def _condition(known: Attributes, found: str, name: str, text: str) -> Condition:
    definition, lookup = _known(known, name)
    owner = [active_organization_id(), definition.pk]
    if lookup == "isnull":
        if text not in ("true", "false"):
            raise BadParameter(name, f"{name}: true or false.")
        parts = found.count("{0}")
        return f"{BASE}.id {'NOT ' if text == 'true' else ''}IN ({found.format('true')})", owner * parts
    keys, values = [], []
    try:
        for part in text.split(",") if lookup == "in" else [text]:
            sql, given = key_of(known.parsed(definition, part))
            keys.append(sql)
            values += given
    except ValueError as error:
        raise BadParameter(name, f"{name}: {error}") from error
    condition = f"a.key IN ({', '.join(keys)})" if lookup == "in" else f"a.key {ORDERED_LOOKUPS.get(lookup, '=')} {keys[0]}"
    return f"{BASE}.id IN ({found.format(condition)})", [*owner, *values] * found.count("{0}")


def _known(known: Attributes, name: str) -> tuple[AttributeDefinition, str]:
    code, _, lookup = name.removeprefix(PREFIX).partition("__")
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
