from orders.admin import channels, invoices, purchasing, receipts, sales_orders, shipments

__all__ = ["channels", "invoices", "purchasing", "receipts", "sales_orders", "shipments"]
