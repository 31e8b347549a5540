from orders.admin import channels, invoices, payments, purchasing, receipts, returns, sales_orders, shipments, shipping

__all__ = ["channels", "invoices", "payments", "purchasing", "receipts", "returns", "sales_orders", "shipments", "shipping"]
