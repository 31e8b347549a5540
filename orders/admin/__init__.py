from orders.admin import channels, payments, purchasing, receipts, sales_orders

__all__ = ["channels", "payments", "purchasing", "receipts", "sales_orders"]
