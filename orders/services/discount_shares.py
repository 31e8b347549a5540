"""By what the lines of an order share its discounts: those of promotions belong to the goods that they are for."""

from decimal import Decimal

from orders.models import OrderAdjustment, SalesOrderItem

PROMOTION = "promotion"  # the source of an adjustment


def over(total: Decimal, most: Decimal, slack: Decimal) -> Decimal:
    """By how much a part of an order asks for more than there is, or, below zero, for less than nothing.

    Goods and discounts are rounded apart, so that it may be some cents: more than `slack` is no matter of rounding, and 0 here.
    """
    off = total - min(max(total, Decimal(0)), most)
    return off if abs(off) <= slack else Decimal(0)


def weight_of(line: SalesOrderItem, discount: OrderAdjustment) -> Decimal:
    """What promotions take off the line, if it has the discount's tax rate; of any other discount, what the line costs."""
    if discount.source_type != PROMOTION:
        return line.net_amount
    return line.promotion_discount if line.tax_rate == discount.tax_rate else Decimal(0)
