from orders.admin import (
    bills,
    channels,
    invoices,
    landed_costs,
    payments,
    pick_lists,
    purchasing,
    receipts,
    returns,
    sales_orders,
    shipments,
    shipping,
)

__all__ = [
    "bills", "channels", "invoices", "landed_costs", "payments", "pick_lists", "purchasing", "receipts", "returns",
    "sales_orders", "shipments", "shipping",
]
