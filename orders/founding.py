from notifications.services.messages import topic_ensure
from orders.services.stuck import STUCK_ORDERS


def furnish() -> None:
    """The topic of orders that stand still."""
    topic_ensure(key=STUCK_ORDERS, name="Stuck orders", category="orders")
