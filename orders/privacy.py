from orders.privacy_purchasing import PURCHASING

PERSONAL = [*PURCHASING]
