from orders.admin import channels, invoices, payments, pick_lists, purchasing, receipts, returns, sales_orders, shipments

__all__ = ["channels", "invoices", "payments", "pick_lists", "purchasing", "receipts", "returns", "sales_orders", "shipments"]
