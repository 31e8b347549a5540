"""The reorder check: what is low becomes a task, once, with the numbers that say why.

The rules of a variant in a warehouse, whether for all vehicles or for one model, look at the same pieces. So one task
stands for all of them: that of the rule that misses most.
"""

from collections.abc import Collection
from uuid import UUID

from django.db import connection, connections, transaction
from django.db.models import Exists, OuterRef

from core.errors import Invalid
from core.tenancy import active_organization_id
from inventory.events import ReorderTasksCreated, StockLow
from inventory.events_replenishment import ReorderTaskReopened
from inventory.models import Fitment, ReorderRule
from inventory.queries.levels import BOUGHT, FITS, INCOMING
from inventory.queries.supply import FETCHED, ROUTE, SUGGESTED, SUPPLY
from inventory.services.levels import levels_refresh
from inventory.services.minimums import minimums_compute
from notifications.services.events import publish_from
from notifications.services.jobs import Order, job_made

CHECK_TASK = "inventory.tasks.check"

TELL = publish_from(ReorderTasksCreated, "told", aggregate_id="organization_id", tasks="tasks", checked_at="checked_at")
TELL_LOW = publish_from(
    StockLow, "created AS c JOIN routed USING (organization_id, rule_id) ORDER BY sku", aggregate_id="rule_id",
    task="task_id", rule="rule_id", variant="variant_id", sku="sku", name="name", vehicle_model="vehicle_model_id",
    warehouse="warehouse_id", warehouse_code="warehouse_code", supplier="CASE WHEN fetched IS NULL THEN supplier_id END",
    basis="basis", level="level", threshold="min_quantity", suggested_quantity="suggested_quantity",
    source_warehouse="CASE WHEN fetched IS NOT NULL THEN source_warehouse_id END",
)

TELL_WOKEN = publish_from(
    ReorderTaskReopened, "woken", aggregate_id="task_id", task="task_id", variant="variant_id", sku="sku",
    warehouse="warehouse_id", warehouse_code="warehouse_code", because="'due'",
)

# One statement for one organization or for all. A rule that is low is found by its partial index. Whose task was dismissed
# is left alone until the level falls further, or was above the minimum. Tasks whose day has come are open again. The events:
# one for each task, and one for each organization.
CHECK = f"""
    WITH due AS (
        SELECT DISTINCT ON (r.organization_id, r.variant_id, r.warehouse_id)
               r.organization_id, r.id AS rule_id, v.sku, v.name, w.code AS warehouse_code, r.variant_id, r.warehouse_id,
               r.vehicle_model_id, r.basis, r.level, r.min_quantity, r.max_quantity, r.order_quantity, r.explanation AS minimum,
               sp.supplier_id, COALESCE(sp.multiple, 1) AS multiple, COALESCE(sp.least, 0) AS least,
               sp.order_multiple, sp.pack_size, r.lead_time_days, COALESCE(r.lead_time_days, sp.lead_days) AS lead_days,
               r.source_warehouse_id, route.spare,
               (SELECT (now() AT TIME ZONE timezone)::date FROM accounts_organization WHERE id = r.organization_id) AS today
        FROM inventory_reorderrule AS r
        JOIN inventory_productvariant AS v ON v.organization_id = r.organization_id AND v.id = r.variant_id
        JOIN inventory_product AS p ON p.organization_id = v.organization_id AND p.id = v.product_id
        JOIN inventory_warehouse AS w ON w.organization_id = r.organization_id AND w.id = r.warehouse_id
        {SUPPLY.format("r")}
        {ROUTE.format("r")}
        WHERE r.is_low AND r.is_active AND (r.quiet_at IS NULL OR r.level < r.quiet_at) AND {BOUGHT} AND {FITS.format("r")}
            AND (%(organization)s::uuid IS NULL OR r.organization_id = %(organization)s::uuid)
            AND (%(warehouses)s::uuid[] IS NULL OR r.warehouse_id = ANY (%(warehouses)s::uuid[]))
            AND NOT EXISTS (
                SELECT FROM inventory_reordertask AS t
                WHERE t.organization_id = r.organization_id AND t.variant_id = r.variant_id AND t.warehouse_id = r.warehouse_id
                    AND t.status IN ('open', 'ordered', 'snoozed'))
        ORDER BY r.organization_id, r.variant_id, r.warehouse_id, r.min_quantity - r.level DESC, r.id
    ), routed AS (
        SELECT d.*, {FETCHED} AS fetched FROM due AS d
    ), created AS (
        INSERT INTO inventory_reordertask (id, organization_id, rule_id, variant_id, warehouse_id, supplier_id,
                                           source_warehouse_id, triggered_quantity, threshold, suggested_quantity, status,
                                           due_on, explanation)
        SELECT uuid7(), d.organization_id, d.rule_id, d.variant_id, d.warehouse_id,
               CASE WHEN d.fetched IS NULL THEN d.supplier_id END,
               CASE WHEN d.fetched IS NOT NULL THEN d.source_warehouse_id END, d.level, d.min_quantity, {SUGGESTED}, 'open',
               d.today + CASE WHEN d.fetched IS NULL THEN d.lead_days ELSE d.lead_time_days END,
               jsonb_build_object(
                   'basis', d.basis, 'vehicle_model', d.vehicle_model_id,
                   'level', d.level::text, 'min_quantity', d.min_quantity::text,
                   'max_quantity', d.max_quantity::text, 'order_quantity', d.order_quantity::text,
                   'order_multiple', COALESCE(d.order_multiple, 1)::text, 'pack_size', COALESCE(d.pack_size, 1)::text,
                   'min_order_quantity', d.least::text, 'lead_time_days', d.lead_days, 'minimum', d.minimum,
                   'spare', d.spare::text,
                   'on_hand', stock.on_hand::text, 'reserved', stock.reserved::text, 'incoming', ({INCOMING.format("d")})::text)
        FROM routed AS d
        CROSS JOIN LATERAL (
            SELECT COALESCE(sum(s.quantity), 0) AS on_hand, COALESCE(sum(s.reserved), 0) AS reserved
            FROM inventory_stockitem AS s
            WHERE s.organization_id = d.organization_id AND s.variant_id = d.variant_id AND s.warehouse_id = d.warehouse_id
        ) AS stock
        ORDER BY d.sku
        ON CONFLICT DO NOTHING
        RETURNING organization_id, rule_id, id AS task_id, suggested_quantity, created_at
    ), told AS (
        SELECT organization_id, count(*) AS tasks, min(created_at) AS checked_at FROM created GROUP BY organization_id
    ), asleep AS (
        SELECT t.id FROM inventory_reordertask AS t JOIN accounts_organization AS o ON o.id = t.organization_id
        WHERE t.status = 'snoozed' AND t.snoozed_until <= (now() AT TIME ZONE o.timezone)::date
            AND (%(organization)s::uuid IS NULL OR t.organization_id = %(organization)s::uuid)
            AND (%(warehouses)s::uuid[] IS NULL OR t.warehouse_id = ANY (%(warehouses)s::uuid[]))
        ORDER BY t.id FOR NO KEY UPDATE OF t SKIP LOCKED
    ), woken AS (
        UPDATE inventory_reordertask AS t SET status = 'open', snoozed_until = NULL
        FROM asleep AS a, inventory_productvariant AS v, inventory_warehouse AS w
        WHERE t.id = a.id AND v.organization_id = t.organization_id AND v.id = t.variant_id
            AND w.organization_id = t.organization_id AND w.id = t.warehouse_id
        RETURNING t.organization_id, t.id AS task_id, t.variant_id, v.sku, t.warehouse_id, w.code AS warehouse_code
    ), published AS (
        {TELL}
    ), published_low AS (
        {TELL_LOW}
    ), published_woken AS (
        {TELL_WOKEN}
    )
    SELECT COALESCE(sum(tasks), 0) FROM told
"""


def reorder_rules_settle(*, rules: Collection[UUID]) -> None:
    """After rules were written. Raises Invalid for a vehicle model that the part does not fit."""
    fits = Fitment.objects.filter(variant=OuterRef("variant"), vehicle_model=OuterRef("vehicle_model"))
    misfits = ReorderRule.objects.filter(~Exists(fits), pk__in=rules, vehicle_model__isnull=False)
    if misfit := misfits.select_related("variant", "vehicle_model").first():
        detail = f"{misfit.variant.sku} does not fit {misfit.vehicle_model}: add the fitment first."
        raise Invalid(detail, code="does_not_fit", fields={"vehicle_model": detail})
    if levels_refresh(rules).by_forecast:
        minimums_compute(rules=rules)


def reorder_check(*, warehouses: Collection[UUID] | None = None) -> int:
    """For the active organization, in all its warehouses or in some; returns how many tasks it made. A second run makes none."""
    some = None if warehouses is None else list(warehouses)
    with connection.cursor() as cursor:
        cursor.execute(CHECK, {"organization": active_organization_id(), "warehouses": some})
        return int(cursor.fetchone()[0])


def reorder_check_later(*, warehouses: Collection[UUID] | None = None) -> UUID:
    """The same as a job; its result is as the check's answer."""
    some = None if warehouses is None else sorted(map(str, warehouses))
    return job_made(Order(task=CHECK_TASK, kwargs={"warehouses": some}))


def reorder_check_everywhere() -> int:
    """For all organizations at once, as the worker."""
    with transaction.atomic("worker"), connections["worker"].cursor() as cursor:
        cursor.execute(CHECK, {"organization": None, "warehouses": None})
        return int(cursor.fetchone()[0])
