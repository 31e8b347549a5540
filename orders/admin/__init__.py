from orders.admin import channels, invoices, purchasing, receipts, returns, sales_orders, shipments

__all__ = ["channels", "invoices", "purchasing", "receipts", "returns", "sales_orders", "shipments"]
