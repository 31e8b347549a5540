"""What the inventory does when something has happened."""

from inventory.queries.replenishment import reminder
from notifications.registry import Event, handles
from notifications.services.messages import notify

REORDER_REMINDERS = "reorder-reminders"


@handles("reorder.tasks_created")
def remind(event: Event) -> None:
    """Mail the subscribers of the topic what a check found."""
    subject, body = reminder(checked_at=event["payload"]["checked_at"])
    notify(topic=REORDER_REMINDERS, subject=subject, body=body, dedupe_key=event["id"])
