from orders.admin import channels, purchasing, receipts, sales_orders

__all__ = ["channels", "purchasing", "receipts", "sales_orders"]
