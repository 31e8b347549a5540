from orders.admin import channels, sales_orders

__all__ = ["channels", "sales_orders"]
