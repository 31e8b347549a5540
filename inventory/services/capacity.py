"""A location with a capacity takes no more than fits, or says that it holds too much."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db import connection

from core.errors import Conflict
from core.tenancy import active_organization_id
from inventory.models import Location
from inventory.services.locks import Place, lock_limited_locations

# What lies there, and what comes and leaves now.
FILLED = """
    SELECT l.id, l.capacity_policy, l.code, l.capacity, l.max_weight, sum(g.quantity), sum(g.quantity * COALESCE(v.weight, 0)),
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
    GROUP BY l.id ORDER BY l.code, l.id
"""


@dataclass(frozen=True, slots=True)
class Overfull:
    """A place where more lies now than fits, which its policy allows."""

    location_id: UUID
    detail: str


def check_room(changes: Mapping[Place, Decimal]) -> list[Overfull]:
    """Raises Conflict, naming each place that refuses what does not fit; returns those that take it.

    A place that becomes no fuller now is neither.
    """
    locations = lock_limited_locations({place.location_id for place in changes})
    coming = {place: change for place, change in changes.items() if place.location_id in locations}
    with connection.cursor() as cursor:
        cursor.execute(FILLED, {
            "organization": active_organization_id(), "locations": locations,
            "places": [place.location_id for place in coming], "variants": [place.variant_id for place in coming],
            "changes": list(coming.values()),
        })
        found = [(location, policy, words) for location, policy, *row in cursor.fetchall() for words in _too_much(*row)]
    if full := [words for _, policy, words in found if policy != Location.CapacityPolicy.WARN]:
        raise Conflict(f"There is not enough room: {'; '.join(full)}. Choose another place.", code="location_full")
    return [Overfull(location, f"{words}.") for location, _, words in found]


def _too_much(
    code: str, capacity: Decimal | None, max_weight: Decimal | None, quantity: Decimal, weight: Decimal, more: Decimal | None,
    heavier: Decimal | None,
) -> list[str]:
    found = []
    for most, filled, change, what in ((capacity, quantity, more, "pieces"), (max_weight, weight, heavier, "kg")):
        if most is not None and change and change > 0 and filled > most:
            room = max(most - filled + change, Decimal(0))
            found.append(f"{code} has room for {room.normalize():f} {what}, not for {change.normalize():f}")
    return found
