"""Codes of promotions on a cart. What counts without a code needs nobody."""

from django.db import transaction

from core.errors import Conflict, Invalid
from orders.machines import SALES_ORDERS
from orders.models import Promotion, PromotionUse, SalesOrder
from orders.services.charges import charges_write
from orders.services.order_lines import TOTALS, totals_change
from orders.services.sales_orders import locked
from orders.services.stepping import refusal

MOST_CODES = 20


def promotion_code_apply(*, order: SalesOrder, code: str, named: str = "code") -> SalesOrder:
    """The cart costs what it does with this code. Once more changes nothing. `named` is where the caller reads the code.

    Raises Invalid for a code that is none, Conflict for one that takes nothing off, whose code and words say why.
    """
    row = _cart(order)
    text = code.strip().upper()
    promotion = Promotion.objects.filter(code=text).first() if text else None
    if promotion is None:
        detail = f"There is no promotion code {text}." if text else "Say which code."
        raise Invalid(detail, code="does_not_exist", fields={named: detail})
    if row.promotion_uses.filter(promotion__code__isnull=False).exclude(promotion=promotion).count() >= MOST_CODES:
        raise Conflict(f"A cart has at most {MOST_CODES} promotion codes.", code="too_many_codes")
    with transaction.atomic():
        use, _ = PromotionUse.objects.get_or_create(promotion=promotion, order=row)
        _follow(row)
        use.refresh_from_db()
        if use.why:
            raise Conflict(use.why, code=use.reason)
    return row


def promotion_code_remove(*, order: SalesOrder, code: str) -> SalesOrder:
    """Raises Invalid for a code that the cart does not have."""
    row = _cart(order)
    text = code.strip().upper()
    gone, _ = row.promotion_uses.filter(promotion__code=text).delete()
    if not gone:
        detail = f"This cart does not have the promotion code {text}."
        raise Invalid(detail, code="does_not_exist", fields={"code": detail})
    _follow(row)
    return row


def _cart(order: SalesOrder) -> SalesOrder:
    row = locked(order)
    if row.status != SalesOrder.Status.DRAFT:
        raise refusal(SALES_ORDERS, row.status, "promotion codes")
    return row


def _follow(row: SalesOrder) -> None:
    row.has_charges = True
    before, after = charges_write(row, list(row.lines.filter(kit=None).order_by("line")))
    totals_change(row, before, after)
    row.save(update_fields=TOTALS)
