from orders.admin import (
    bills,
    channels,
    invoices,
    payments,
    pick_lists,
    promotions,
    purchasing,
    receipts,
    returns,
    sales_orders,
    shipments,
    shipping,
)

__all__ = [
    "bills", "channels", "invoices", "payments", "pick_lists", "promotions", "purchasing", "receipts", "returns", "sales_orders",
    "shipments", "shipping",
]
