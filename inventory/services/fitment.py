"""Says of one part which vehicle models it fits: thousands at once, by make, model and years."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import TextChoices

from core.errors import Invalid
from core.tenancy import active_organization_id
from inventory.models import VehicleModel

SHOWN = 200  # ranges in an answer


class Mode(TextChoices):
    ADD = "add", "Add these vehicles"
    REPLACE = "replace", "These vehicles and no others, at this position"
    REMOVE = "remove", "Take these vehicles away, at this position"


@dataclass(frozen=True, slots=True)
class Span:
    """Models of a make, in capitals or not: all its models without one, all engines without one."""

    make: str
    model: str = ""
    engine: str = ""
    year_from: int = 0
    year_to: int = 9999


@dataclass(frozen=True, slots=True)
class Place:
    """Without a quantity or notes, those of a fitment that is there stay; a new one has one piece and no notes."""

    position: str = ""
    quantity_per_vehicle: Decimal | None = None
    notes: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """`ranges` are the vehicles that were meant: make, model, year_from, year_to; the first of them."""

    matched: int
    created: int
    changed: int
    unchanged: int
    removed: int
    ranges: list[dict[str, Any]]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


MATCHED = """
    matched AS MATERIALIZED (
        SELECT m.id, m.make, m.model, m.year FROM inventory_vehiclemodel AS m
        WHERE m.organization_id = %(organization)s AND (m.id = ANY (%(ids)s::uuid[]) OR EXISTS (
            SELECT FROM unnest(%(makes)s::text[], %(models)s::text[], %(engines)s::text[], %(first)s::int[], %(last)s::int[])
                AS w(make, model, engine, year_from, year_to)
            WHERE lower(m.make) = lower(w.make) AND m.year BETWEEN w.year_from AND w.year_to
                AND (w.model = '' OR m.model_key = lower(w.model)) AND (w.engine = '' OR lower(m.engine) = lower(w.engine))))
    ), held AS (
        SELECT f.id, f.vehicle_model_id, f.quantity_per_vehicle, f.notes FROM inventory_fitment AS f
        WHERE f.organization_id = %(organization)s AND f.variant_id = %(variant)s AND f.position = %(position)s
    )
"""
WANTED = "COALESCE(%(quantity_per_vehicle)s::numeric, h.quantity_per_vehicle, 1), COALESCE(%(notes)s::text, h.notes, '')"
DIFFERS = f"(h.quantity_per_vehicle, h.notes) IS DISTINCT FROM ({WANTED})"

PLAN = f"""
    WITH {MATCHED}
    SELECT count(m.id), count(m.id) FILTER (WHERE h.id IS NULL), count(m.id) FILTER (WHERE h.id IS NOT NULL AND {DIFFERS}),
           count(h.id) FILTER (WHERE m.id IS NULL), count(h.id) FILTER (WHERE m.id IS NOT NULL)
    FROM matched AS m FULL JOIN held AS h ON h.vehicle_model_id = m.id
"""
RANGES = f"""
    WITH {MATCHED}
    SELECT make, model, min(year), max(year) FROM (
        SELECT make, model, year, year - dense_rank() OVER (PARTITION BY make, model ORDER BY year) AS island FROM matched
    ) AS years
    GROUP BY make, model, island ORDER BY make, model, min(year) LIMIT {SHOWN}
"""
WRITE = f"""
    WITH {MATCHED}
    INSERT INTO inventory_fitment (id, organization_id, variant_id, vehicle_model_id, position, quantity_per_vehicle, notes)
    SELECT uuid7(), %(organization)s, %(variant)s, m.id, %(position)s, {WANTED}
    FROM matched AS m LEFT JOIN held AS h ON h.vehicle_model_id = m.id
    WHERE h.id IS NULL OR {DIFFERS}
    ORDER BY m.id
    ON CONFLICT (organization_id, variant_id, vehicle_model_id, position)
        DO UPDATE SET quantity_per_vehicle = EXCLUDED.quantity_per_vehicle, notes = EXCLUDED.notes
"""
REMOVE = f"""
    WITH {MATCHED}
    DELETE FROM inventory_fitment AS f USING held AS h LEFT JOIN matched AS m ON m.id = h.vehicle_model_id
    WHERE f.organization_id = %(organization)s AND f.id = h.id AND (m.id IS NOT NULL) = %(of_these)s
"""


def fitments_set(
    *, variant_id: UUID, spans: Sequence[Span] = (), vehicle_models: Sequence[UUID] = (), place: Place = Place(),
    mode: str = Mode.ADD, preview: bool = False,
) -> Outcome:
    """In a handful of statements, however many; a preview counts and writes nothing.

    Raises Invalid where no vehicle model, or one of those named by id, is not there.
    """
    values: dict[str, Any] = {
        "organization": active_organization_id(), "variant": variant_id, "ids": list(vehicle_models), **asdict(place),
        "makes": [span.make for span in spans], "models": [span.model for span in spans],
        "engines": [span.engine for span in spans], "first": [span.year_from for span in spans],
        "last": [span.year_to for span in spans],
    }
    _refuse_missing(set(vehicle_models))
    with connection.cursor() as cursor:
        cursor.execute(PLAN, values)
        matched, new, differing, others, same = cursor.fetchone()
        if not matched:
            detail = "No vehicle model here is meant by this: look at the spelling of make and model, and at the years."
            raise Invalid(detail, code="no_vehicles", fields={"vehicles": detail})
        cursor.execute(RANGES, values)
        ranges = [dict(zip(("make", "model", "year_from", "year_to"), row, strict=True)) for row in cursor.fetchall()]
        if mode == Mode.REMOVE:
            outcome = Outcome(matched, 0, 0, 0, same, ranges)
        else:
            removed = others if mode == Mode.REPLACE else 0
            outcome = Outcome(matched, new, differing, matched - new - differing, removed, ranges)
        if preview:
            return outcome
        if mode != Mode.REMOVE:
            cursor.execute(WRITE, values)
        if outcome.removed:
            cursor.execute(REMOVE, {**values, "of_these": mode == Mode.REMOVE})
    return outcome


def _refuse_missing(ids: set[UUID]) -> None:
    known = set(VehicleModel.objects.filter(pk__in=ids).values_list("pk", flat=True)) if ids else set()
    if missing := ids - known:
        detail = f"There is no such vehicle model in this organization: {', '.join(sorted(map(str, missing)))}."
        raise Invalid(detail, code="does_not_exist", fields={"vehicle_models": detail})
