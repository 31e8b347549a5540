from inventory.handlers import REORDER_REMINDERS
from inventory.services.basics import reasons_create
from inventory.services.taxes import tax_categories_create
from inventory.services.units import units_create
from notifications.services.messages import topic_ensure


def furnish() -> None:
    """The usual units, reasons and tax categories, and the topic of the reorder check; what they keep, and where, people say."""
    units_create()
    reasons_create()
    tax_categories_create()
    topic_ensure(key=REORDER_REMINDERS, name="Reorder reminders", category="inventory")
