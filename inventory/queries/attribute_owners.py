"""Which products and variants have a value of an attribute: statements that take longer to plan than to run, and so are kept."""

import time
from collections.abc import Sequence
from math import inf
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from core.kept import Kept
from core.tenancy import active_organization_id

MOST = 5_000  # that are counted; one more says that there are more

NO_OWN = """
    NOT EXISTS (SELECT FROM inventory_productattributevalue AS own WHERE own.organization_id = a.organization_id
        AND own.variant_id = {0} AND own.definition_id = a.definition_id)
"""
# `IS NULL` would be looked up in an index that has no product, and one attribute may have values of a million products.
OF_THE_PRODUCT = "(a.variant_id IS NOT NULL) IS FALSE"
VALUES = """
    inventory_productattributevalue AS a WHERE a.organization_id = %(organization)s::uuid
        AND a.definition_id = %(definition)s::uuid AND a.key >= %(first)s::text AND a.key < %(end)s::text
"""
# A product is found by its own value, or by one of its variants'.
OF_PRODUCTS = f"""
    SELECT a.product_id FROM {VALUES} AND (a.variant_id IS NULL OR EXISTS (
        SELECT FROM inventory_productvariant AS v
        WHERE v.organization_id = a.organization_id AND v.id = a.variant_id AND v.archived_at IS NULL))
"""
# A variant is found by its own value; without one, by its product's.
OF_VARIANTS_ALONE = f"SELECT a.variant_id FROM {VALUES} AND a.variant_id IS NOT NULL"  # where no product has a value
OF_VARIANTS = f"""
    {OF_VARIANTS_ALONE}
    UNION ALL
    SELECT v.id FROM (SELECT a.* FROM {VALUES} AND {OF_THE_PRODUCT}) AS a
    JOIN inventory_productvariant AS v ON v.organization_id = a.organization_id AND v.product_id = a.product_id
    WHERE {NO_OWN.format("v.id")}
"""
COUNT = f"SELECT count(*) FROM ({{}} LIMIT {MOST + 1}) AS found"
PRODUCTS = Kept("products_with_value", OF_PRODUCTS, gives="uuid")
PRODUCTS_COUNT = Kept("products_with_value_count", COUNT.format(OF_PRODUCTS), gives="bigint")
VARIANTS = Kept("variants_with_value", OF_VARIANTS, gives="uuid")
VARIANTS_COUNT = Kept("variants_with_value_count", COUNT.format(OF_VARIANTS), gives="bigint")
VARIANTS_ALONE = Kept("variants_with_own_value", OF_VARIANTS_ALONE, gives="uuid")
VARIANTS_ALONE_COUNT = Kept("variants_with_own_value_count", COUNT.format(OF_VARIANTS_ALONE), gives="bigint")


class Key(NamedTuple):
    """SQL of the text that sorts as a value does, and its parameters."""

    sql: str
    values: Sequence[object] = ()

    @property
    def after(self) -> "Key":
        """The first that comes after it, in the order of bytes."""
        return Key(f"{self.sql} || chr(1)", self.values)


FIRST, LAST = Key("''"), Key("repeat(chr(1114111), 801)")  # no key is so long


class Values(NamedTuple):
    """Those of an attribute from each key to before another one."""

    definition: UUID
    ranges: Sequence[tuple[Key, Key]]

    def of(self, owners: Kept) -> list[tuple[str, list[Any]]]:
        """A SELECT for each range, and its parameters; it gives the rows of the statement as `c1`."""
        organization = active_organization_id()
        return [
            (
                f"SELECT c1 FROM {owners.function_name}(%s, %s, {first.sql}, {end.sql})",
                [organization, self.definition, *first.values, *end.values],
            )
            for first, end in self.ranges
        ]  # fmt: skip


def how_many(wanted: Sequence[tuple[Kept, Values]]) -> list[int]:
    """Each with PRODUCTS_COUNT, VARIANTS_COUNT or VARIANTS_ALONE_COUNT; as it was at some time of the last minute.

    That is good enough to choose a way by: both ways find the same rows.
    """
    keys = [(active_organization_id(), count.function_name, repr(values)) for count, values in wanted]
    now = time.monotonic()
    known = {key: last for key in keys if (last := _counts.get(key, NEVER))[0] > now - LASTS}
    if unknown := {key: one for key, one in zip(keys, wanted, strict=True) if key not in known}:
        counted = {key: (now, number) for key, number in zip(unknown, _counted(list(unknown.values())), strict=True)}
        if len(_counts) > MOST_COUNTS:
            forget_counts()
        _counts.update(counted)
        known |= counted
    return [known[key][1] for key in keys]


def forget_counts() -> None:
    _counts.clear()


def _counted(wanted: Sequence[tuple[Kept, Values]]) -> list[int]:
    found = [values.of(count) for count, values in wanted]
    sums = ", ".join(" + ".join(f"({sql})" for sql, _ in ranges) for ranges in found)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {sums}", [value for ranges in found for _, values in ranges for value in values])
        return list(cursor.fetchone())


LASTS, MOST_COUNTS, NEVER = 60.0, 5_000, (-inf, 0)  # seconds
# Of this process: by organization, statement and values, when it was counted, and how many there were.
_counts: dict[tuple[UUID, str, str], tuple[float, int]] = {}
