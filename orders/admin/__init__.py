from orders.admin import channels, purchasing, receipts, sales_orders, shipments

__all__ = ["channels", "purchasing", "receipts", "sales_orders", "shipments"]
