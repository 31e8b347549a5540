"""The promotions of an order: noted while it is a cart, claimed as it is placed, given back when it is canceled or they take
nothing off any more.

Whoever claims or gives back holds the rows of the promotions, in the order of their ids, after the stock and before the number.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import connection
from django.db.models import F

from core.errors import Conflict
from core.tenancy import active_organization_id
from orders.models import Promotion, PromotionUse, SalesOrder, SalesOrderItem
from orders.queries.promotions import customer_uses, offers_of
from orders.services.invoice_amounts import ZERO, Amount
from orders.services.promotion_amounts import Grant, grants_of, used_by_customer, used_up

NOTED = ("amount", "reason", "why")
CLAIM = """
    WITH due AS (
        SELECT id FROM orders_promotion WHERE organization_id = %(organization)s AND id = ANY (%(promotions)s)
        ORDER BY id FOR NO KEY UPDATE
    )
    UPDATE orders_promotion AS p SET used_count = p.used_count + 1 FROM due
    WHERE p.organization_id = %(organization)s AND p.id = due.id AND (p.max_uses IS NULL OR p.used_count < p.max_uses)
    RETURNING p.id
"""


def promotions_follow(order: SalesOrder, lines: Sequence[SalesOrderItem], shipping: Amount) -> list[Grant]:
    """What each takes off now; the order's uses and its lines say so too."""
    uses = list(order.promotion_uses.select_related("promotion"))
    grants = grants_of(order, lines, offers_of(order, lines, uses), shipping)
    _note(order, uses, grants)
    taken: dict[UUID, Decimal] = {}
    for grant in grants:
        for line, part in grant.by_line.items():
            taken[line.pk] = taken.get(line.pk, ZERO) + part.gross
    changed = [line for line in lines if line.promotion_discount != taken.get(line.pk, ZERO)]
    for line in changed:
        line.promotion_discount = taken.get(line.pk, ZERO)
    if changed:
        SalesOrderItem.objects.bulk_update(changed, ["promotion_discount"])
    return grants


def _note(order: SalesOrder, uses: Sequence[PromotionUse], grants: Sequence[Grant]) -> None:
    """In a cart, what counts without a code comes and goes by itself; a code stays, and says why it takes nothing off."""
    made, changed, kept = [], [], set()
    for grant in grants:
        values = (grant.amount, grant.reason, grant.why[:300])
        if grant.use is None and grant.amount:
            made.append(PromotionUse(order=order, promotion=grant.promotion, **dict(zip(NOTED, values, strict=True))))
        elif grant.use is not None and (grant.amount or grant.promotion.code or grant.use.claimed_at):
            kept.add(grant.use.pk)
            if values != tuple(getattr(grant.use, name) for name in NOTED):
                for name, value in zip(NOTED, values, strict=True):
                    setattr(grant.use, name, value)
                changed.append(grant.use)
    gone = [use.pk for use in uses if use.pk not in kept]
    if gone and order.status == SalesOrder.Status.DRAFT:
        order.promotion_uses.filter(pk__in=gone).delete()
    if changed:
        PromotionUse.objects.bulk_update(changed, NOTED)
    if made:
        PromotionUse.objects.bulk_create(made)


def promotions_claim(order: SalesOrder, now: datetime) -> None:
    """Raises Conflict for a code that takes nothing off, and where others were quicker to use a promotion up."""
    uses = {use.promotion_id: use for use in order.promotion_uses.select_related("promotion").order_by("promotion_id")}
    for use in uses.values():
        if use.why:
            raise Conflict(f"{use.why} Take the code off the cart.", code=use.reason)
    due = {key: use for key, use in uses.items() if use.amount}
    if len(due) < len(uses):
        order.promotion_uses.filter(amount=0).delete()
    if not due:
        return
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, {"organization": active_organization_id(), "promotions": list(due)})
        claimed = {key for (key,) in cursor.fetchall()}
    counts = customer_uses(order, [use.promotion for use in due.values() if use.promotion.max_per_customer])
    for key, use in due.items():
        if key not in claimed:
            raise _too_late(*used_up(use.promotion))
        if counts.get(key, 0) >= (use.promotion.max_per_customer or counts.get(key, 0) + 1):
            raise _too_late(*used_by_customer(use.promotion))
    order.promotion_uses.update(claimed_at=now, customer=order.customer_id)


def promotions_give_back(order: SalesOrder, now: datetime, *, idle: bool = False) -> None:
    """All that the order has claimed, or what is `idle`: takes nothing off any more.

    A use that counts for orders that were split off as well stays in count, as the first of theirs.
    """
    rows = order.promotion_uses.filter(claimed_at__isnull=False, released_at=None)
    rows = rows.filter(amount=0) if idle else rows
    promotions = list(rows.order_by("promotion_id").values_list("promotion_id", flat=True))
    if not promotions:
        return
    _hold(promotions)
    free = []
    for use in rows:
        sharers = list(use.sharers.filter(released_at=None).order_by("pk"))
        if sharers:
            use.sharers.filter(pk__in=[one.pk for one in sharers[1:]]).update(shared_with=sharers[0])
            use.sharers.filter(pk=sharers[0].pk).update(shared_with=None)
        elif use.shared_with_id is None:
            free.append(use.promotion_id)
    Promotion.objects.filter(pk__in=free).update(used_count=F("used_count") - 1)
    rows.update(released_at=now)


def promotions_share(order: SalesOrder, made: SalesOrder, taken: Mapping[UUID, tuple[Decimal, Decimal]]) -> None:
    """Of an order that is split: by promotion, what is taken off it from now on, and what off the one that is made."""
    if not taken:
        return
    _hold(taken)
    uses = list(order.promotion_uses.filter(promotion__in=taken, claimed_at__isnull=False, released_at=None))
    for use in uses:
        use.amount, _ = taken[use.promotion_id]
        use.shared_amount = use.amount
    PromotionUse.objects.bulk_update(uses, ["amount", "shared_amount"])
    PromotionUse.objects.bulk_create([
        PromotionUse(
            promotion_id=use.promotion_id, order=made, customer_id=use.customer_id, amount=taken[use.promotion_id][1],
            claimed_at=use.claimed_at, shared_amount=taken[use.promotion_id][1], shared_with_id=use.shared_with_id or use.pk,
        ) for use in uses
    ])


def _hold(promotions: Collection[UUID]) -> None:
    """So that nobody passes a use on meanwhile."""
    list(Promotion.objects.filter(pk__in=promotions).order_by("pk").select_for_update(no_key=True).values_list("pk"))


def _too_late(reason: str, why: str) -> Conflict:
    return Conflict(f"{why} Somebody was quicker: look at the cart, and place it again.", code=reason)
