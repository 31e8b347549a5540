from orders.admin import channels, purchasing, receipts, returns, sales_orders

__all__ = ["channels", "purchasing", "receipts", "returns", "sales_orders"]
