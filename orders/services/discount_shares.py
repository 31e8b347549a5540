"""By what the lines of an order share its discounts: those of promotions belong to the goods that they are for."""

from decimal import Decimal

from orders.models import OrderAdjustment, SalesOrderItem

PROMOTION = "promotion"  # the source of an adjustment


def weight_of(line: SalesOrderItem, discount: OrderAdjustment) -> Decimal:
    """What promotions take off the line, if it has the discount's tax rate; of any other discount, what the line costs."""
    if discount.source_type != PROMOTION:
        return line.net_amount
    return line.promotion_discount if line.tax_rate == discount.tax_rate else Decimal(0)
