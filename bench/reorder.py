"""The reorder check over all stock items of all organizations; each round is rolled back."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
from django.db import connections, transaction

from bench.database import bare
from bench.measuring import Result, times
from inventory.services.replenishment import CHECK, reorder_check_everywhere

ROUNDS = 7
EVERYWHERE = {"organization": None, "warehouses": None}

# What is low and has no task, without the reasons, the rounding to packs and the event.
PLAIN = """
    INSERT INTO inventory_reordertask (id, organization_id, rule_id, variant_id, warehouse_id, triggered_quantity, threshold,
                                       suggested_quantity, status, explanation)
    SELECT uuid7(), r.organization_id, r.id, r.variant_id, r.warehouse_id, r.level, r.min_quantity, r.max_quantity - r.level,
           'open', '{}'
    FROM inventory_reorderrule AS r
    WHERE r.is_low AND r.is_active
        AND NOT EXISTS (
            SELECT FROM inventory_reordertask AS t
            WHERE t.organization_id = r.organization_id AND t.rule_id = r.id AND t.status IN ('open', 'ordered', 'snoozed')
        )
    ON CONFLICT DO NOTHING
"""


def run(size: int) -> Iterator[Result]:
    worker = bare("worker")

    def floor(sql: str, parameters: Any) -> Callable[[], object]:
        def call() -> None:
            with worker.transaction(force_rollback=True):
                worker.execute(sql, parameters)

        return call

    made = _rolled_back()
    least, lowest, ours = times(ROUNDS, floor(PLAIN, None), floor(CHECK, EVERYWHERE), _rolled_back)
    yield Result(f"reorder check, {made:,} new tasks, beside its bare statement", size, ours, lowest, 1, target=("ratio", 1.5))
    yield Result(f"reorder check, {made:,} new tasks, beside an INSERT without reasons", size, ours, least)

    with transaction.atomic("worker"):
        reorder_check_everywhere()  # after which nothing is new
        cursor: Any = psycopg.Cursor(connections["worker"].connection)
        lowest, ours = times(ROUNDS, lambda: cursor.execute(CHECK, EVERYWHERE), reorder_check_everywhere)
        transaction.set_rollback(True, using="worker")
    yield Result("reorder check, nothing new, beside its bare statement", size, ours, lowest, 1, target=("ratio", 1.5))


def _rolled_back() -> int:
    with transaction.atomic("worker"):
        made = reorder_check_everywhere()
        transaction.set_rollback(True, using="worker")
    return made
