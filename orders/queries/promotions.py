"""Which promotions may count for an order, the first one first, and for which of its goods."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from core.tenancy import active_organization_id
from orders.models import Promotion, PromotionUse, SalesOrder, SalesOrderItem

# By promotion that names its goods, those of these variants that are among them; none of them is told as NULL.
GOODS = """
    WITH RECURSIVE above AS (
        SELECT v.id AS variant_id, p.category_id FROM inventory_productvariant AS v
        JOIN inventory_product AS p ON p.organization_id = v.organization_id AND p.id = v.product_id
        WHERE v.organization_id = %(organization)s AND v.id = ANY (%(variants)s)
        UNION ALL
        SELECT above.variant_id, c.parent_id FROM above
        JOIN inventory_category AS c ON c.organization_id = %(organization)s AND c.id = above.category_id
    )
    SELECT DISTINCT g.promotion_id, above.variant_id FROM orders_promotiongoods AS g
    LEFT JOIN above ON above.variant_id = g.variant_id OR above.category_id = g.category_id
    WHERE g.organization_id = %(organization)s AND g.promotion_id = ANY (%(promotions)s)
"""

AUTOMATIC = """
    SELECT EXISTS (
        SELECT FROM orders_promotion
        WHERE organization_id = %s AND code IS NULL AND is_active AND (ends_at IS NULL OR ends_at > %s)
    )
"""


@dataclass(frozen=True, slots=True)
class Offer:
    """`use` is the order's own, where it has one; `variants` are those it is for, None for all."""

    promotion: Promotion
    use: PromotionUse | None
    variants: frozenset[UUID] | None
    used_by_customer: int


def automatic() -> QuerySet[Promotion]:
    """Those that count without a code, unless they are over."""
    found: QuerySet[Promotion] = Promotion.objects.filter(
        Q(ends_at__isnull=True) | Q(ends_at__gt=timezone.now()), code__isnull=True, is_active=True,
    )
    return found


def has_automatic() -> bool:
    """Whether there are any: asked of each cart."""
    with connection.cursor() as cursor:
        cursor.execute(AUTOMATIC, [active_organization_id(), timezone.now()])
        return bool(cursor.fetchone()[0])


def offers_of(order: SalesOrder, lines: Sequence[SalesOrderItem], own: Collection[PromotionUse]) -> list[Offer]:
    """Of a cart its codes and all that count by themselves; of an order that is placed what it has claimed, and nothing else.

    `own` are the order's uses, with their promotions.
    """
    uses = {use.promotion_id: use for use in own}
    if order.status == SalesOrder.Status.DRAFT:
        promotions = {use.promotion_id: use.promotion for use in uses.values() if use.promotion.code}
        promotions |= {one.pk: one for one in automatic()}
    else:
        promotions = {use.promotion_id: use.promotion for use in uses.values() if use.claimed_at and not use.released_at}
    if not promotions:
        return []
    variants = _goods(promotions, {line.variant_id for line in lines})
    counts = customer_uses(order, [one for one in promotions.values() if one.max_per_customer])
    return [
        Offer(one, uses.get(one.pk), variants.get(one.pk), counts.get(one.pk, 0))
        for one in sorted(promotions.values(), key=lambda one: (-one.priority, one.code is None, one.pk))
    ]


def customer_uses(order: SalesOrder, promotions: Collection[Promotion]) -> dict[UUID, int]:
    """How many other orders of its customer have each of them."""
    if not promotions or order.customer_id is None:
        return {}
    rows = PromotionUse.objects.filter(
        customer=order.customer_id, promotion__in=promotions, claimed_at__isnull=False, released_at=None, shared_with=None,
    ).exclude(order=order)
    return dict(rows.order_by().values_list("promotion_id").annotate(Count("pk")))


def _goods(promotions: Collection[UUID], variants: Collection[UUID]) -> dict[UUID, frozenset[UUID]]:
    found: dict[UUID, set[UUID]] = {}
    with connection.cursor() as cursor:
        cursor.execute(GOODS, {
            "organization": active_organization_id(), "promotions": list(promotions), "variants": list(variants),
        })
        for promotion, variant in cursor.fetchall():
            found.setdefault(promotion, set()).update([variant] if variant else [])
    return {promotion: frozenset(goods) for promotion, goods in found.items()}
