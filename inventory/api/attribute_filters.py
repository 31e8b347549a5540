"""`?attr.storage__gte=128 GB`: lists of products and variants by their attributes, as SQL conditions.

Each value has a key that sorts as it does, so that a range is read from an index under row security, too.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from core.choosing import ORDERED as ORDERED_LOOKUPS
from core.choosing import Condition, Conditions
from core.kept import Kept
from core.problems import BadParameter
from core.reading import BASE
from core.tenancy import active_organization_id
from inventory.models import AttributeDefinition
from inventory.queries import attribute_owners
from inventory.queries.attribute_owners import FIRST, LAST, NO_OWN, OF_THE_PRODUCT, Key, Values, how_many
from inventory.queries.attributes import ORDERED, Attributes, attributes_with_units, key_of
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
FEW = attribute_owners.MOST

FOUND = "a.organization_id = %s AND a.definition_id = %s"


class Owners(NamedTuple):
    """Statements of those who have a value, and SQL of whether the row has it, with a place for the condition on the value."""

    listed: Kept
    counted: Kept
    asked: str


OF_PRODUCTS = Owners(attribute_owners.PRODUCTS, attribute_owners.PRODUCTS_COUNT, f"""
    EXISTS (SELECT FROM inventory_productattributevalue AS a
            WHERE {FOUND} AND {{0}} AND a.product_id = {BASE}.id AND (a.variant_id IS NULL OR EXISTS (
                SELECT FROM inventory_productvariant AS v
                WHERE v.organization_id = a.organization_id AND v.id = a.variant_id AND v.archived_at IS NULL)) OFFSET 0)
""")  # fmt: skip
OF_VARIANTS = Owners(attribute_owners.VARIANTS, attribute_owners.VARIANTS_COUNT, f"""
    (EXISTS (SELECT FROM inventory_productattributevalue AS a WHERE {FOUND} AND {{0}} AND a.variant_id = {BASE}.id OFFSET 0)
     OR EXISTS (SELECT FROM inventory_productattributevalue AS a
                WHERE {FOUND} AND {{0}} AND a.product_id = {BASE}.product_id AND {OF_THE_PRODUCT}
                    AND {NO_OWN.format(f"{BASE}.id")} OFFSET 0))
""")  # fmt: skip


# Where no product has a value of the attribute itself, half of the question need not be asked.
OF_VARIANTS_ALONE = Owners(attribute_owners.VARIANTS_ALONE, attribute_owners.VARIANTS_ALONE_COUNT, f"""
    EXISTS (SELECT FROM inventory_productattributevalue AS a WHERE {FOUND} AND {{0}} AND a.variant_id = {BASE}.id OFFSET 0)
""")  # fmt: skip


class Sought(NamedTuple):
    """Whose values, and the condition on one of them with its parameters; those without it where `is_without`."""

    owners: Owners
    values: Values
    condition: str
    parameters: list[Any]
    is_without: bool = False


def attribute_conditions(query: Mapping[str, str], owners: Owners) -> Conditions:
    """`owners` is OF_PRODUCTS or OF_VARIANTS. Raises BadParameter."""
    asked = {name: text for name, text in query.items() if name.startswith(PREFIX)}
    if not asked:
        return []
    if len(asked) > MOST_FILTERS:
        raise BadParameter(PREFIX, f"{PREFIX}: at most {MOST_FILTERS} attributes in one request.")
    known = attributes_with_units({_split(name)[0] for name in asked})
    wanted = [_wanted(known, owners, name, text) for name, text in asked.items()]
    numbers = how_many([(one.owners.counted, one.values) for one in wanted])
    return [_chosen(one, number <= FEW) for one, number in zip(wanted, numbers, strict=True)]


def _chosen(wanted: Sought, are_few: bool) -> Condition:
    owners = wanted.owners
    if are_few:
        found = wanted.values.of(owners.listed)
        listed = " UNION ALL ".join(sql for sql, _ in found)
        return (
            f"{BASE}.id {'<> ALL' if wanted.is_without else '= ANY'} (ARRAY({listed}))",
            [value for _, values in found for value in values],
        )
    asked = owners.asked.format(wanted.condition)
    return f"NOT {asked}" if wanted.is_without else asked, wanted.parameters * owners.asked.count("{0}")


def branch_condition(column: str, text: str) -> Condition:
    """The rows whose column refers to the category, or to one below it."""
    try:
        category = UUID(text)
    except ValueError as error:
        raise BadParameter("under", "under: the id (a UUID) of a category.") from error
    return f"{BASE}.{column} = ANY (ARRAY({BRANCH}))", [active_organization_id(), category]


def _wanted(known: Attributes, owners: Owners, name: str, text: str) -> Sought:
    definition, lookup = _known(known, name)
    if owners is OF_VARIANTS and definition.code in known.of_variants:
        owners = OF_VARIANTS_ALONE
    owner = [active_organization_id(), definition.pk]
    if lookup == "isnull":
        if text not in ("true", "false"):
            raise BadParameter(name, f"{name}: true or false.")
        return Sought(owners, Values(definition.pk, [(FIRST, LAST)]), "true", owner, text == "true")
    try:
        keys = [key_of(known.parsed(definition, part)) for part in (text.split(",") if lookup == "in" else [text])]
    except ValueError as error:
        raise BadParameter(name, f"{name}: {error}") from error
    listed = ", ".join(key.sql for key in keys)
    condition = f"a.key IN ({listed})" if lookup == "in" else f"a.key {ORDERED_LOOKUPS.get(lookup, '=')} {listed}"
    values = Values(definition.pk, [_range(lookup, key) for key in keys])
    return Sought(owners, values, condition, [*owner, *(value for key in keys for value in key.values)])


def _range(lookup: str, key: Key) -> tuple[Key, Key]:
    """From which key to before which other one."""
    ordered = {"gt": (key.after, LAST), "gte": (key, LAST), "lt": (FIRST, key), "lte": (FIRST, key.after)}
    return ordered.get(lookup, (key, key.after))


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
