from orders.admin import purchasing, receipts

__all__ = ["purchasing", "receipts"]
