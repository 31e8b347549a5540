"""Vehicle models as one says them: `honda civic 2010`. Each word begins one of make, model, year, engine or trim.

The models of an organization are read one by one: there are some ten thousand at most.
"""

from collections.abc import Callable

from django.db import connection

from core.searching import Search
from core.tenancy import active_organization_id

SAID = "lower(concat_ws(' ', '', m.make, m.model, m.year, m.engine, m.trim))"
MOST_WORDS = 8


def vehicle_search(text: str) -> Search:
    wanted = text.lower().split()[:MOST_WORDS]
    words = " AND ".join([f"strpos({SAID}, %s) > 0"] * len(wanted))
    ids = f"SELECT m.id FROM inventory_vehiclemodel AS m WHERE m.organization_id = %s AND {words}"
    return Search(ids, [active_organization_id(), *(f" {word}" for word in wanted)], _rank(text))


def _rank(text: str) -> Callable[[str], str]:
    """Models that begin with the text come first."""

    def ranked(alias: str) -> str:
        sql = f"CASE WHEN {alias}.model_key ^@ %s THEN 0 ELSE 1 END"
        composed: str = connection.ops.compose_sql(sql, [text.strip().lower()])  # type: ignore[attr-defined]  # of PostgreSQL
        return composed.replace("%", "%%")

    return ranked
