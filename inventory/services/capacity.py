"""A location with a capacity takes no more than fits."""

from collections.abc import Mapping
from decimal import Decimal

from django.db import connection

from core.errors import Conflict
from core.tenancy import active_organization_id
from inventory.services.locks import Place, lock_limited_locations

# What lies there, and what comes and leaves now.
FILLED = """
    SELECT l.code, l.capacity, l.max_weight, sum(g.quantity), sum(g.quantity * COALESCE(v.weight, 0)),
           sum(g.quantity) FILTER (WHERE g.is_change), sum(g.quantity * COALESCE(v.weight, 0)) FILTER (WHERE g.is_change)
    FROM (
        SELECT s.location_id, s.variant_id, s.quantity, false AS is_change FROM inventory_stockitem AS s
        WHERE s.organization_id = %(organization)s AND s.location_id = ANY (%(locations)s) AND s.quantity <> 0
        UNION ALL
        SELECT *, true FROM unnest(%(places)s::uuid[], %(variants)s::uuid[], %(changes)s::numeric[])
    ) AS g
    JOIN inventory_location AS l ON l.organization_id = %(organization)s AND l.id = g.location_id
    LEFT JOIN inventory_productvariant AS v ON v.organization_id = l.organization_id AND v.id = g.variant_id
    WHERE l.id = ANY (%(locations)s)
    GROUP BY l.id
"""


def refuse_overfull(changes: Mapping[Place, Decimal]) -> None:
    """Raises Conflict, naming each place where more would lie than fits, unless it becomes no fuller now."""
    locations = lock_limited_locations({place.location_id for place in changes})
    coming = {place: change for place, change in changes.items() if place.location_id in locations}
    with connection.cursor() as cursor:
        cursor.execute(FILLED, {
            "organization": active_organization_id(), "locations": locations,
            "places": [place.location_id for place in coming], "variants": [place.variant_id for place in coming],
            "changes": list(coming.values()),
        })
        full = [words for row in cursor.fetchall() for words in _too_much(*row)]
    if full:
        raise Conflict(f"There is not enough room: {'; '.join(full)}. Choose another place.", code="location_full")


def _too_much(
    code: str, capacity: Decimal | None, max_weight: Decimal | None, quantity: Decimal, weight: Decimal, more: Decimal | None,
    heavier: Decimal | None,
) -> list[str]:
    found = []
    for most, filled, change, what in ((capacity, quantity, more, "pieces"), (max_weight, weight, heavier, "of weight")):
        if most is not None and change and change > 0 and filled > most:
            room = max(most - filled + change, Decimal(0))
            found.append(f"{code} has room for {room.normalize():f} {what}, not for {change.normalize():f}")
    return found
