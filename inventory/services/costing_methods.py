"""Changing how an organization costs its goods. The stock is revalued openly: each difference is an entry."""

from django.db import connection

from accounts.models import Organization
from core.errors import Invalid
from core.tenancy import active_organization_id, active_scope
from inventory.services.locks import lock_grounds

Method = Organization.CostingMethod

# No posting is under way: see lock_grounds. Who changes layers otherwise holds the organization: this waits for them, and they
# for this.
LOCK = "SELECT costing_method FROM accounts_organization WHERE id = %s FOR UPDATE"

# The receipts' layers, each poured into the pool of its goods.
POUR = """
    WITH receipt AS (
        SELECT l.id, l.variant_id, l.warehouse_id, l.remaining, l.value, p.id AS pool_id
        FROM inventory_costlayer AS l
        JOIN inventory_costlayer AS p ON p.organization_id = l.organization_id AND p.kind = 'pool'
            AND p.variant_id = l.variant_id AND p.warehouse_id = l.warehouse_id
        WHERE l.organization_id = %(organization)s AND l.is_open AND l.kind = 'receipt'
    ), emptied AS (
        UPDATE inventory_costlayer AS l SET remaining = 0, value = 0
        FROM receipt AS r WHERE l.organization_id = %(organization)s AND l.id = r.id
    ), filled AS (
        UPDATE inventory_costlayer AS p
        SET remaining = p.remaining + s.remaining, value = p.value + s.value,
            unit_cost = CASE WHEN p.remaining + s.remaining > 0
                        THEN round((p.value + s.value) / (p.remaining + s.remaining), 6) ELSE p.unit_cost END
        FROM (SELECT pool_id, sum(remaining) AS remaining, sum(value) AS value FROM receipt GROUP BY pool_id) AS s
        WHERE p.organization_id = %(organization)s AND p.id = s.pool_id
    )
    INSERT INTO inventory_valueentry (
        id, organization_id, kind, variant_id, warehouse_id, layer_id, from_layer_id, quantity, value, note, document_type,
        occurred_at, actor_id, api_key_id
    )
    SELECT uuid7(), %(organization)s, 'cost', r.variant_id, r.warehouse_id, side.layer_id, side.from_layer_id,
           side.sign * r.remaining, side.sign * r.value, %(note)s, '', statement_timestamp(), %(actor)s, %(api_key)s
    FROM receipt AS r
    CROSS JOIN LATERAL (VALUES (-1, r.id, NULL::uuid), (1, r.pool_id, r.id)) AS side(sign, layer_id, from_layer_id)
    ORDER BY r.id, side.sign
"""
REVALUE = """
    WITH revalued AS (
        SELECT p.id, p.variant_id, p.warehouse_id, v.standard_cost, p.value AS before,
               round(p.remaining * v.standard_cost, 6) AS value
        FROM inventory_costlayer AS p
        JOIN inventory_productvariant AS v ON v.organization_id = p.organization_id AND v.id = p.variant_id
        WHERE p.organization_id = %(organization)s AND p.kind = 'pool'
    ), changed AS (
        UPDATE inventory_costlayer AS p SET value = r.value, unit_cost = r.standard_cost
        FROM revalued AS r WHERE p.organization_id = %(organization)s AND p.id = r.id
    )
    INSERT INTO inventory_valueentry (
        id, organization_id, kind, variant_id, warehouse_id, layer_id, quantity, value, note, document_type, occurred_at,
        actor_id, api_key_id
    )
    SELECT uuid7(), %(organization)s, 'revaluation', r.variant_id, r.warehouse_id, r.id, 0, r.value - r.before, %(note)s, '',
           statement_timestamp(), %(actor)s, %(api_key)s
    FROM revalued AS r WHERE r.value <> r.before ORDER BY r.id
"""


def costing_method_change(*, method: str) -> None:
    """From now on goods cost by this method; what is there keeps its value, except at standard cost."""
    if method not in Method.values:
        raise Invalid(f"A costing method is one of {', '.join(Method.values)}.", fields={"costing_method": "unknown"})
    scope = active_scope()
    lock_grounds()
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [scope.organization_id])
        [before] = cursor.fetchone()
        if before == method:
            return
        Organization.objects.filter(pk=active_organization_id()).update(costing_method=method)
        values = {
            "organization": scope.organization_id, "actor": scope.origin.actor_id, "api_key": scope.origin.api_key_id,
            "note": f"Costing method: {Method(before).label} before, {Method(method).label} now",
        }
        if before == Method.FIFO:
            cursor.execute(POUR, values)
        if method == Method.STANDARD:
            cursor.execute(REVALUE, values)
