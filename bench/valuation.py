"""What values add to a posting; and what the stock was worth as of an instant, by snapshots, however long the history."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connections, transaction

from bench.database import TENANT, bare, member_of
from bench.measuring import Result, statements, times
from core.supervisor import progress
from core.tenancy import organization_scope
from inventory.models import Location, ProductVariant
from inventory.queries.valuation import AS_POSTED, LAST, Question, inventory_value
from inventory.services import posting
from inventory.services.posting import Line
from inventory.services.snapshots import MAKE
from inventory.services.stock import stock_issue, stock_receive

ROUNDS, DAYS, SINCE = 40, 400, 30

FILL = (
    """
    INSERT INTO inventory_costlayer (id, organization_id, kind, variant_id, warehouse_id, remaining, value, landed_cost,
                                     received_at)
    SELECT uuid7(), organization_id, 'pool', variant_id, warehouse_id, 0, 0, 0, now()
    FROM inventory_stockitem WHERE organization_id = %(organization)s ON CONFLICT DO NOTHING
    """,
    # The layers take turns, the days follow each other.
    """
    WITH l AS MATERIALIZED (
        SELECT *, row_number() OVER (ORDER BY id) - 1 AS number FROM inventory_costlayer
        WHERE organization_id = %(organization)s AND kind = 'pool'
    ), n AS MATERIALIZED (
        SELECT n, n %% (SELECT count(*) FROM l) AS number,
               now() - make_interval(secs => (%(moves)s - n) * %(days)s * 86400.0 / %(moves)s) AS at
        FROM generate_series(0, %(moves)s - 1) AS n
    )
    INSERT INTO inventory_valueentry (id, organization_id, kind, variant_id, warehouse_id, layer_id, quantity, value, note,
                                      document_type, created_at, occurred_at)
    SELECT uuid7(), l.organization_id, 'cost', l.variant_id, l.warehouse_id, l.id, 1, 12.5, '', 'bench', at, at
    FROM n JOIN l USING (number) ORDER BY n
    """,
    "ANALYZE inventory_valueentry",
    "ANALYZE inventory_costlayer",
)
FLOOR = f"WITH last AS ({LAST}) SELECT sum(quantity), sum(value) FROM ({AS_POSTED}) AS s"


def run(size: int) -> Iterator[Result]:
    organization_id = member_of(TENANT).organization_id
    _fill(organization_id, size)
    yield from _as_of(organization_id, size)
    for lines in (5, 1_000):
        yield from _posting(organization_id, size, lines)


def _fill(organization_id: UUID, moves: int) -> None:
    """As many moves as there are products, once; and the days that are looked at."""
    with transaction.atomic("owner"), connections["owner"].cursor() as cursor:
        values = {"organization": organization_id, "moves": moves, "days": DAYS}
        cursor.execute("SELECT EXISTS (SELECT FROM inventory_valueentry WHERE document_type = 'bench')")
        if cursor.fetchone()[0]:
            return
        with progress(f"  {moves:,} value entries"):
            for statement in FILL:
                cursor.execute(statement, values)
            for ago in (SINCE + 1, 1):
                cursor.execute(MAKE, {"organization": organization_id, "day": datetime.now(UTC).date() - timedelta(ago)})
            cursor.execute("ANALYZE inventory_stocksnapshot")


def _as_of(organization_id: UUID, size: int) -> Iterator[Result]:
    at = datetime.now(UTC) - timedelta(SINCE)
    app = bare("default")
    values = {"organization": organization_id, "as_of": at}

    def floor() -> None:
        with app.transaction():
            app.execute("SELECT set_config('app.organization_id', %s, true)", [str(organization_id)])
            app.execute(FLOOR, values).fetchall()

    def ours(question: Question) -> Callable[[], object]:
        def call() -> None:
            with organization_scope(organization_id):
                inventory_value(question)

        return call

    by_warehouse = ours(Question(group_by="warehouse", as_of=at))
    by_variant = ours(Question(group_by="variant", as_of=at, limit=100))
    late = ours(Question(group_by="warehouse", as_of=at, basis="occurred"))
    now = ours(Question(group_by="warehouse"))
    lowest, *found = times(ROUNDS, floor, by_warehouse, by_variant, late, now)
    names = ("30 days ago", "30 days ago, 100 variants of 10,000", "30 days ago, as it had occurred", "now")
    for name, time in zip(names, found, strict=True):
        yield Result(f"value of the stock {name}", size, time, lowest, 1)


def _posting(organization_id: UUID, size: int, lines: int) -> Iterator[Result]:
    """Receipts and issues take turns, each rolled back to the same stock; beside the same without values."""
    with organization_scope(organization_id):
        location = Location.objects.get(code="BENCH").pk
        variants = list(ProductVariant.objects.order_by("pk").values_list("pk", flat=True)[:lines])
    verbs: dict[str, Any] = {
        "receive": lambda: stock_receive(lines=[
            Line(variant, Decimal(2), to_location_id=location, unit_cost=Decimal("12.5")) for variant in variants
        ]),
        "issue": lambda: stock_issue(lines=[Line(variant, Decimal(1), from_location_id=location) for variant in variants]),
    }

    def call(verb: str) -> None:
        with organization_scope(organization_id):
            verbs[verb]()

    def without(verb: str) -> None:
        kept, posting.flows_value = posting.flows_value, lambda *, method, flows: []  # type: ignore[assignment]  # for the comparison
        try:
            call(verb)
        finally:
            posting.flows_value = kept

    call("receive")
    for verb in verbs:
        rounds = ROUNDS if lines < 100 else 4
        bare_time, time = times(rounds, lambda: without(verb), lambda: call(verb))  # noqa: B023  # called at once
        sent = statements(lambda: call(verb))  # noqa: B023  # called at once
        yield Result(f"{verb} {lines:,} lines, beside the same without values", size, time, bare_time, sent)
