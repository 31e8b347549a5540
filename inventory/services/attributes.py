from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from uuid_utils.compat import uuid7

from core.errors import Invalid
from core.tenancy import active_organization_id
from inventory.models import Product, ProductVariant
from inventory.queries.attributes import Parsed, attributes

# One statement, so that what the database checks at its end is the whole: two axes can change together.
SET = """
    WITH gone AS (
        DELETE FROM inventory_productattributevalue
        WHERE organization_id = %(organization)s AND {owner} AND {leaves}
    )
    INSERT INTO inventory_productattributevalue AS a (
        id, organization_id, definition_id, product_id, variant_id, value_text, value_number, unit_id, value_boolean, value_date
    )
    SELECT new.id, %(organization)s, new.definition_id, %(product)s, %(variant)s, new.text, new.number, new.unit_id,
           new.boolean, new.day
    FROM unnest(%(ids)s::uuid[], %(definitions)s::uuid[], %(texts)s::text[], %(numbers)s::numeric[], %(units)s::uuid[],
                %(booleans)s::boolean[], %(days)s::date[]) AS new(id, definition_id, text, number, unit_id, boolean, day)
    ON CONFLICT (organization_id, product_id, variant_id, definition_id) DO UPDATE SET
        value_text = excluded.value_text, value_number = excluded.value_number, unit_id = excluded.unit_id,
        value_boolean = excluded.value_boolean, value_date = excluded.value_date
    WHERE (a.value_text, a.value_number, a.unit_id, a.value_boolean, a.value_date) IS DISTINCT FROM (
        excluded.value_text, excluded.value_number, excluded.unit_id, excluded.value_boolean, excluded.value_date)
"""
LEAVES = {
    True: "definition_id <> ALL (%(definitions)s::uuid[])",  # all others
    False: "definition_id = ANY (%(without)s::uuid[])",
}


@transaction.atomic
def attributes_set(*, target: Product | ProductVariant, values: Mapping[str, Any], replace: bool) -> None:
    """Values by code; null takes one away, and `replace` those that are not named. Raises Invalid, which names each mistake."""
    given, without, wrong = _read(values)
    if wrong:
        raise Invalid(next(iter(wrong.values())), fields={f"attributes/{code}": text for code, text in wrong.items()})
    is_variant = isinstance(target, ProductVariant)
    type(target).objects.select_for_update(no_key=True).get(pk=target.pk)  # who sets those of one row takes turns
    owner = "variant_id = %(variant)s" if is_variant else "product_id = %(product)s AND variant_id IS NULL"
    rows = list(given.items())

    def column(name: str) -> list[Any]:
        return [parsed.value if parsed.column == name else None for _, parsed in rows]

    with connection.cursor() as cursor:
        cursor.execute(SET.format(owner=owner, leaves=LEAVES[replace]), {
            "organization": active_organization_id(),
            # Of a variant the database knows the product.
            "variant": target.pk if is_variant else None, "product": None if is_variant else target.pk,
            "ids": [uuid7() for _ in rows], "definitions": [definition for definition, _ in rows],
            "texts": column("value_text"), "numbers": column("value_number"), "booleans": column("value_boolean"),
            "days": column("value_date"), "units": [parsed.unit and parsed.unit.pk for _, parsed in rows], "without": without,
        })


def _read(values: Mapping[str, Any]) -> tuple[dict[UUID, Parsed], list[UUID], dict[str, str]]:
    """What is to be set, what to be taken away, and what is wrong by code."""
    known = attributes()
    given: dict[UUID, Parsed] = {}
    without, wrong = list[UUID](), dict[str, str]()
    for code, value in values.items():
        try:
            definition = known.named(code)
            if value is None:
                without.append(definition.pk)
            else:
                given[definition.pk] = known.parsed(definition, value)
        except ValueError as error:
            wrong[code] = str(error)
    return given, without, wrong
