"""The least that a job can cost here: psycopg and orjson alone, as the app's role, behind the same wall.

As Django's connections do, these plan each statement when it comes (`prepare_threshold` is None): statements
that the server keeps tie a client to one connection of RDS Proxy, and the plan they end in, made for no
organization in particular, is wrong for the largest and the smallest.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import orjson
import psycopg
from psycopg.rows import dict_row

from bench.database import bare

# The products in twelve fields, one of them through a reference.
PRODUCTS = """
    SELECT p.id, p.name, p.category_id AS category, c.name AS category_name, p.description, p.status, p.tracking,
           p.base_unit_id AS base_unit, p.external_ref, p.created_at, p.updated_at, p.version
    FROM inventory_product AS p
    LEFT JOIN inventory_category AS c ON c.organization_id = p.organization_id AND c.id = p.category_id
    WHERE p.organization_id = %s
"""
PRODUCT_FIELDS = (
    "id,name,category,category_name,description,status,tracking,base_unit,external_ref,created_at,updated_at,version"
)


class Floor:
    def __init__(self, organization_id: UUID, *, prepare: bool = False) -> None:
        self.organization_id = organization_id
        self.connection = bare("default")
        self.connection.prepare_threshold = 5 if prepare else None

    @contextmanager
    def scope(self) -> Iterator[psycopg.Cursor[dict[str, Any]]]:
        with self.connection.transaction(), self.connection.cursor(row_factory=dict_row) as cursor:
            cursor.execute("SELECT set_config('app.organization_id', %s, true)", [str(self.organization_id)])
            yield cursor

    def rows(self, sql: str, values: Sequence[Any]) -> Callable[[], bytes]:
        """`sql` asks for one row more than a page has, to know whether another page follows."""

        def call() -> bytes:
            with self.scope() as cursor:
                rows = cursor.execute(sql, values).fetchall()
            return orjson.dumps({"next": None, "previous": None, "results": rows[:100]}, option=orjson.OPT_UTC_Z, default=str)

        return call
