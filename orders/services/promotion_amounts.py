"""What promotions take off an order: one after the other, each off what those before it have left."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal, localcontext

from django.utils import timezone

from accounts.queries.rates import DIGITS, minor_unit
from orders.models import Promotion, PromotionUse, SalesOrder, SalesOrderItem
from orders.queries.promotions import Offer
from orders.services.invoice_amounts import NOTHING, ZERO, Amount, spread

Effect = Promotion.Effect

type ByLine = dict[SalesOrderItem, Amount]
type Refusal = tuple[str, str]  # for programs, and in words


@dataclass(slots=True)
class Grant:
    """What a promotion takes off each line, or that it sends the goods for nothing; or why it takes nothing off."""

    promotion: Promotion
    use: PromotionUse | None
    by_line: ByLine = field(default_factory=dict)
    shipping: Amount = NOTHING
    reason: str = ""
    why: str = ""

    @property
    def amount(self) -> Decimal:
        return sum((one.gross for one in self.by_line.values()), self.shipping.gross)


def grants_of(
    order: SalesOrder, lines: Sequence[SalesOrderItem], offers: Sequence[Offer], shipping: Amount,
) -> list[Grant]:
    """By promotion, the first one first. Once one is in that stands alone, no other is; nor it, where another is in already."""
    left = {line: Amount(line.net_amount, line.tax_amount) for line in lines}
    total = sum((one.gross for one in left.values()), ZERO)
    found: list[Grant] = []
    for offer in offers:
        grant = Grant(offer.promotion, offer.use)
        others = [one.promotion for one in found if one.amount]
        goods = {line: one for line, one in left.items() if one.gross > 0 and _is_for(offer, line)}
        refusal = _refusal(order, offer, total) or _bare(offer.promotion, goods) or _alone(offer.promotion, others)
        if refusal:
            grant.reason, grant.why = refusal
        elif offer.promotion.effect == Effect.FREE_SHIPPING:
            if offer.promotion.shipping_method_id in (None, order.shipping_method_id):
                grant.shipping, shipping = shipping, NOTHING
        else:
            grant.by_line = _taken(offer, goods, order.currency)
            for line, part in grant.by_line.items():
                left[line] = left[line].less(part)
        found.append(grant)
    return found


def by_rate(grant: Grant) -> dict[Decimal, Amount]:
    found: dict[Decimal, Amount] = {}
    for line, part in grant.by_line.items():
        found[line.tax_rate] = found.get(line.tax_rate, NOTHING).plus(part)
    return found


def _is_for(offer: Offer, line: SalesOrderItem) -> bool:
    return offer.variants is None or line.variant_id in offer.variants


def _taken(offer: Offer, goods: ByLine, currency: str) -> ByLine:
    promotion, unit = offer.promotion, minor_unit(currency)
    whole = sum((one.gross for one in goods.values()), ZERO)
    if promotion.effect == Effect.BUY_GET:
        parts = [spread([one], _free(promotion, line, one, unit), currency)[0] for line, one in goods.items()]
    else:
        if promotion.effect == Effect.PERCENTAGE:
            amount = _part(whole, promotion.percent or ZERO, Decimal(100), unit)
        else:
            fixed = offer.use.shared_amount if offer.use and offer.use.shared_amount is not None else promotion.amount
            amount = min((fixed or ZERO).quantize(unit, ROUND_HALF_UP), whole)
        parts = spread(list(goods.values()), amount, currency)
    return {line: part for line, part in zip(goods, parts, strict=True) if part != NOTHING}


def _free(promotion: Promotion, line: SalesOrderItem, left: Amount, unit: Decimal) -> Decimal:
    """What the free ones of a line would cost."""
    free = promotion.free_quantity or 0
    times = line.quantity // ((promotion.buy_quantity or 0) + free)
    return _part(left.gross, times * free, line.quantity, unit)


def _part(whole: Decimal, part: Decimal, of: Decimal, unit: Decimal) -> Decimal:
    with localcontext(prec=DIGITS):
        return (whole * part / of).quantize(unit, ROUND_HALF_UP)


def _refusal(order: SalesOrder, offer: Offer, total: Decimal) -> Refusal | None:
    """Of an order that is placed, what it has claimed stays, whatever became of it: its goods alone may be too few now."""
    promotion = offer.promotion
    if order.status == SalesOrder.Status.DRAFT:
        refusal = _over(promotion) or _others(promotion, order) or _used(order, offer)
        if refusal:
            return refusal
    is_shared = offer.use is not None and offer.use.shared_amount is not None
    if promotion.min_total is not None and total < promotion.min_total and not is_shared:
        return "promotion_below_minimum", (
            f"{_named(promotion)} counts from {promotion.min_total.normalize():f} {promotion.currency} on; the goods cost"
            f" {total.normalize():f}."
        )
    return None


def _over(promotion: Promotion) -> Refusal | None:
    now = timezone.now()
    if not promotion.is_active:
        return "promotion_inactive", f"{_named(promotion)} is not offered any more."
    if promotion.starts_at and promotion.starts_at > now:
        return "promotion_not_started", f"{_named(promotion)} begins on {_time(promotion.starts_at)}."
    if promotion.ends_at and promotion.ends_at <= now:
        return "promotion_ended", f"{_named(promotion)} ended on {_time(promotion.ends_at)}."
    return None


def _others(promotion: Promotion, order: SalesOrder) -> Refusal | None:
    if promotion.channel_id not in (None, order.channel_id):
        return "promotion_other_channel", f"{_named(promotion)} is for orders of another channel."
    if promotion.customer_id not in (None, order.customer_id):
        return "promotion_other_customer", f"{_named(promotion)} is for another customer."
    if promotion.currency not in ("", order.currency):
        return "promotion_other_currency", f"{_named(promotion)} is for orders in {promotion.currency}."
    return None


def _used(order: SalesOrder, offer: Offer) -> Refusal | None:
    promotion = offer.promotion
    if promotion.max_uses is not None and promotion.used_count >= promotion.max_uses:
        return used_up(promotion)
    if promotion.max_per_customer is None:
        return None
    if order.customer_id is None:
        return "promotion_needs_customer", f"{_named(promotion)} is limited for each customer: say who orders."
    return used_by_customer(promotion) if offer.used_by_customer >= promotion.max_per_customer else None


def used_up(promotion: Promotion) -> Refusal:
    return "promotion_used_up", f"{_named(promotion)} is used up."


def used_by_customer(promotion: Promotion) -> Refusal:
    return "promotion_used_by_customer", f"This customer has used {_named(promotion)} as often as it may be."


def _bare(promotion: Promotion, goods: Mapping[SalesOrderItem, Amount]) -> Refusal | None:
    if not goods:
        return "promotion_not_for_goods", f"{_named(promotion)} is not for these goods."
    if promotion.effect == Effect.BUY_GET:
        least = (promotion.buy_quantity or 0) + (promotion.free_quantity or 0)
        if all(line.quantity < least for line in goods):
            return "promotion_too_few", f"{_named(promotion)} counts from {least} of one article on."
    return None


def _alone(promotion: Promotion, others: Sequence[Promotion]) -> Refusal | None:
    """Others that are in already are either all stackable, or one that is not."""
    if others and not (promotion.is_stackable and others[0].is_stackable):
        return "promotion_not_combined", f"{_named(promotion)} does not go together with {_named(others[0])}."
    return None


def _named(promotion: Promotion) -> str:
    return promotion.code or promotion.name


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d at %H:%M} UTC"
