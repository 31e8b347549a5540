"""Arrays for SQL."""

from collections.abc import Iterable
from decimal import Decimal
from uuid import UUID


def array(values: Iterable[UUID | Decimal | int | None]) -> str:
    """As text, to be cast: `%s::uuid[]`. psycopg looks at each value of a list several times, which costs ten times as much."""
    return f"{{{','.join(['NULL' if value is None else str(value) for value in values])}}}"
