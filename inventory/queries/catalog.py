"""Branches of the category tree. It knows parents alone, so moving a branch changes one row; what lies below is found anew."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db import connection, models

from core.tenancy import active_organization_id

SEPARATOR = " / "

# The ids of a category and all below it. Parameters: organization, category.
BRANCH = """
    WITH RECURSIVE branch AS (
        SELECT %s::uuid AS organization_id, %s::uuid AS id
        UNION ALL
        SELECT c.organization_id, c.id FROM branch
        JOIN inventory_category AS c ON c.organization_id = branch.organization_id AND c.parent_id = branch.id
    ) SELECT id FROM branch
"""

# From the root down to the category called {0}, and when one of them last changed.
ABOVE = f"""(
    WITH RECURSIVE above AS (
        SELECT {{0}}.parent_id AS parent_id, {{0}}.name::text AS path, {{0}}.updated_at AS updated_at
        UNION ALL
        SELECT c.parent_id, c.name || '{SEPARATOR}' || above.path, GREATEST(c.updated_at, above.updated_at) FROM above
        JOIN inventory_category AS c ON c.organization_id = {{0}}.organization_id AND c.id = above.parent_id
    ) SELECT {{1}} FROM above WHERE parent_id IS NULL
)"""
PATH = ABOVE.replace("{1}", "path")
PATH_CHANGED = ABOVE.replace("{1}", "updated_at")


class Path(models.Expression):
    """The path of each category of a queryset."""

    output_field = models.TextField()

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return PATH.format(compiler.query.get_initial_alias()), []


def paths_of(categories: Collection[UUID]) -> dict[UUID, str]:
    """Such as Brakes / Brake pads."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT t.id, {PATH.format('t')} FROM inventory_category AS t WHERE t.organization_id = %s AND t.id = ANY (%s)",
            [active_organization_id(), list(categories)],
        )
        return dict(cursor.fetchall())
