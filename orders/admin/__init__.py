from orders.admin import bills, channels, invoices, purchasing, receipts, sales_orders

__all__ = ["bills", "channels", "invoices", "purchasing", "receipts", "sales_orders"]
